"""Events for a lane whose server is away wait in the outbox of a lane that answers.

In the queue they would hold up events for other lanes: a consumer is handed few messages at a time.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kernel.application.envelopes import envelopes
from kernel.application.relay import ROWS_MAX, RelayResult
from kernel.domain.value import value
from kernel.ports.bus import Handler
from kernel.ports.outbox import Backlog, Outbox, OutboxRow
from kernel.ports.unit_of_work import UnitOfWork

ASIDE = "for_lane_"


def aside(lane: int) -> str:
    """Returns the type of outbox rows that wait for this lane. It has no dot, unlike the types of events."""
    return f"{ASIDE}{lane:03}"


def is_aside(row_type: str) -> bool:
    return row_type.startswith(ASIDE)


def lane_of(row_type: str) -> int:
    """Returns the lane for which rows of this type are set aside."""
    return int(row_type.removeprefix(ASIDE))


@value
class Waiting:
    """An event that waits for its lane. `payload` is the event as it was received."""

    lane: int
    payload: bytes


def encode_waiting(waiting: Waiting, event_id: UUID, at: datetime) -> tuple[str, bytes]:
    """Returns the row's type and the unchanged event, which keeps its own id, by which the inbox knows it."""
    return aside(waiting.lane), waiting.payload


@dataclass
class SetAside:
    uow: UnitOfWork
    outbox: Outbox[Waiting]

    async def __call__(self, events: Sequence[Waiting]) -> None:
        """Stores the events in the outbox. They may be acknowledged once this returns."""
        async with self.uow:
            await self.outbox.add(events)


@dataclass
class Turns:
    """Yields the lanes in the order in which their events are handed back, beginning after `last`, so that a
    slow lane does not hold up the others. Lost lanes are left out."""

    lanes: int
    is_lost: Callable[[int], bool]
    last: int = -1

    def __iter__(self) -> Iterator[int]:
        in_turn = ((self.last + step) % self.lanes for step in range(1, self.lanes + 1))
        return (lane for lane in in_turn if not self.is_lost(lane))


@dataclass
class HandBack:
    """Hands the oldest events of one lane to their consumer. They leave the outbox once they are handled."""

    uow: UnitOfWork
    backlog: Backlog

    async def __call__(self, handle: Handler, turns: Turns) -> RelayResult:
        """Returns how many events were handled. After a failure, all of them stay in the outbox, and another
        lane has the next turn."""
        async with self.uow:
            taken: Sequence[OutboxRow] = ()
            of_type = {aside(lane): lane for lane in turns}
            for name in await self.backlog.types_waiting(list(of_type)):
                if taken := await self.backlog.take(name, count_max=ROWS_MAX):
                    turns.last = of_type[name]
                    break
            for envelope in envelopes(taken):
                await handle(envelope.body)
        return RelayResult(sum(row.count for row in taken), full=bool(taken))
