"""Events for a lane whose server is away wait in the outbox of a lane that answers.

In the queue they would hold up those for other lanes: a consumer is handed few messages at a time.
"""

from collections.abc import Callable, Sequence
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
    """The type of outbox rows that wait for this lane; no event has a type without a dot."""
    return f"{ASIDE}{lane:03}"


@value
class Waiting:
    """An event that waits for its lane, as it came."""

    lane: int
    payload: bytes


def encode_waiting(waiting: Waiting, event_id: UUID, at: datetime) -> tuple[str, bytes]:
    """The event keeps its own id, by which the inbox knows it."""
    return aside(waiting.lane), waiting.payload


@dataclass
class SetAside:
    uow: UnitOfWork
    outbox: Outbox[Waiting]

    async def __call__(self, events: Sequence[Waiting]) -> None:
        """They may be acknowledged once this returns."""
        async with self.uow:
            await self.outbox.add(events)


@dataclass
class HandBack:
    """Hands the oldest events to their consumer; they leave the outbox once it handled them."""

    uow: UnitOfWork
    backlog: Backlog

    async def __call__(self, handle: Handler, lanes: Callable[[], Sequence[int]]) -> RelayResult:
        """What was handled. `lanes` tells which are not lost now. Any failure puts all of it back."""
        async with self.uow:
            taken: Sequence[OutboxRow] = ()
            for name in await self.backlog.types_waiting([aside(lane) for lane in lanes()]):
                if taken := await self.backlog.take(name, count_max=ROWS_MAX):
                    break
            for envelope in envelopes(taken):
                await handle(envelope.body)
        return RelayResult(sum(row.count for row in taken), full=bool(taken))
