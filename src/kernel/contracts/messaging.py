"""How services declare their messages, and the catalogue that the declarations of all services make."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import field

import msgspec

from kernel.domain.value import value


@value(kw_only=True)
class Messaging:
    """What one service publishes and what it subscribes to, by the types of events (CloudEvents, `type`).

    A subscriber receives every event of its types. A notification goes to whoever listens, and may be lost.
    """

    service: str
    publishes: Mapping[str, type[msgspec.Struct]] = field(default_factory=dict)
    notifies: Mapping[str, type[msgspec.Struct]] = field(default_factory=dict)
    subscribes: Collection[str] = ()


class Catalog:
    def __init__(self, services: Iterable[Messaging]) -> None:
        self.services = tuple(services)

    def subscribers_of(self, event_type: str) -> list[str]:
        return [one.service for one in self.services if event_type in one.subscribes]

    def publisher_of(self, event_type: str) -> str | None:
        for one in self.services:
            if event_type in one.publishes or event_type in one.notifies:
                return one.service
        return None
