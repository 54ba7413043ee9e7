"""The declaration of a service's messages, and the catalogue of the messages of all services."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any
from uuid import UUID

import msgspec

from kernel.contracts.values import UserId
from kernel.domain.errors import Invalid
from kernel.domain.value import value


class AboutOrder(msgspec.Struct, frozen=True, rename="camel"):
    """The fields that `data` of every event about an order begins with."""

    order_id: UUID
    user_id: UserId


@value(kw_only=True)
class Messaging:
    """The types of events (CloudEvents, `type`) that one service publishes and subscribes to.

    A subscriber receives every event of its types. A notification reaches only the processes that listen when
    it is sent. A published type is never changed or removed: a new version is a new type. A type begins with
    the words of its `source`: `shop.orders.order-placed.v1` comes from `/shop/orders`.
    """

    service: str
    subject: str = "subject"
    """The kind of thing that the events are about, in one word, for documents, log lines and spans."""
    publishes: Mapping[str, type[msgspec.Struct]] = field(default_factory=dict)
    notifies: Mapping[str, type[msgspec.Struct]] = field(default_factory=dict)
    subscribes: Collection[str] = ()
    listens: Collection[str] = ()
    """The notifications that the service's processes receive; each process has its own queue."""
    examples: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By event type, examples of the event's data, for the documents."""

    @property
    def sends(self) -> Mapping[str, type[msgspec.Struct]]:
        return {**self.publishes, **self.notifies}


def source_of(event_type: str) -> str:
    """Returns the `source` of the events of a type, as their publisher writes it."""
    return "/" + "/".join(event_type.split(".")[:2])


class Catalog:
    """The messages of services that run together, with the publisher and the subscribers of each type."""

    def __init__(self, services: Iterable[Messaging]) -> None:
        """Raises Invalid if two services publish the same type, or if a service subscribes or listens to a
        type that nobody sends."""
        self.services = tuple(services)
        self._publishers: dict[str, Messaging] = {}
        for one in self.services:
            for event_type in (*one.publishes, *one.notifies):
                if other := self._publishers.get(event_type):
                    raise Invalid(f"{event_type} is published by {other.service} and by {one.service}")
                self._publishers[event_type] = one
        self._subscribers: dict[str, list[str]] = {
            event_type: [] for one in self.services for event_type in one.publishes
        }
        for one in self.services:
            for event_type in one.subscribes:
                if event_type not in self._subscribers:
                    raise Invalid(f"{one.service} subscribes to {event_type}, which nobody publishes")
                self._subscribers[event_type].append(one.service)
            for event_type in one.listens:
                if event_type not in self._publishers:
                    raise Invalid(f"{one.service} listens to {event_type}, which nobody sends")

    def of(self, service: str) -> Messaging:
        return next(one for one in self.services if one.service == service)

    def publisher_of(self, event_type: str) -> Messaging:
        return self._publishers[event_type]

    def subscribers_of(self, event_type: str) -> Sequence[str]:
        """Returns the services that receive the type. Raises KeyError if nobody publishes the type."""
        return self._subscribers[event_type]
