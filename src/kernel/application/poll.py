from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kernel.application.relay_loop import Relay
from kernel.ports.outbox import Backlog
from kernel.ports.unit_of_work import UnitOfWork

POLL_EVERY_S = 1.0


@dataclass
class PollOutbox:
    """Finds left-behind rows in the outbox. One statement asks for all event types."""

    uow: UnitOfWork
    backlog: Backlog

    async def __call__(self, relays: Mapping[str, Sequence[Relay]]) -> bool:
        """Wakes the relays of each type that has rows. Returns False: there is never more to do at once."""
        async with self.uow:
            waiting = await self.backlog.types_waiting(list(relays))
        for event_type in waiting:
            for relay in relays[event_type]:
                relay.wake()
        return False
