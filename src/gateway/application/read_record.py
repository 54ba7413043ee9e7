from collections.abc import Sequence
from dataclasses import dataclass

from gateway.application.parts import OperatedServices, parts_of
from kernel.domain.acts import Act, Place
from kernel.domain.caller import Caller
from kernel.domain.value import value


@value
class JoinedRecord:
    acts: Sequence[tuple[str, Act]]
    """With the service that recorded it."""
    more: bool
    """Whether older ones follow."""
    unknown: Sequence[str]


@dataclass
class ReadRecord:
    """What operators did, in all services."""

    services: OperatedServices

    async def __call__(self, caller: Caller, *, after: Place | None, limit: int) -> JoinedRecord:
        """The newest first. Raises Forbidden, and Unavailable where no service answers."""
        caller.require_to_see_all()
        parts = await parts_of(self.services, lambda one: one.acts(caller, after=after, limit=limit))
        acts = [(service, act) for service, some in parts.known.items() for act in some]
        acts.sort(key=lambda item: item[1].place, reverse=True)
        more = len(acts) > limit or any(len(some) == limit for some in parts.known.values())
        return JoinedRecord(acts[:limit], more, parts.unknown)
