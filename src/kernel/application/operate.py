"""What operators do about parked messages, while the service works or rests."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from kernel.application.envelopes import envelopes
from kernel.application.relay import ROWS_MAX, RelayResult
from kernel.domain.events import Parked
from kernel.ports.bus import Handler
from kernel.ports.inbox import Inbox
from kernel.ports.outbox import Backlog, Outbox
from kernel.ports.parked import DiscardedMessages, ParkedMessages
from kernel.ports.unit_of_work import UnitOfWork

# In the outbox, the type of what goes back to its own service; no event has a type without a dot.
REPLAYED = "replayed"


def encode_replayed(parked: Parked, event_id: UUID, at: datetime) -> tuple[str, bytes]:
    """The event as it came: it keeps its own id, by which the inbox knows it."""
    return REPLAYED, parked.unhandled.payload


class ReplayParked:
    """Parked messages go back to their consumer, each exactly once, whoever else replays them.

    Parking claimed the message in the inbox, so it is forgotten there, or its replay would be swallowed. In
    the same transaction it leaves the parked ones and waits in the outbox, from where it is handed over at
    least once, and claimed once.
    """

    def __init__(self, uow: UnitOfWork, parked: ParkedMessages, inbox: Inbox, outbox: Outbox[Parked]) -> None:
        self.uow = uow
        self.parked = parked
        self.inbox = inbox
        self.outbox = outbox

    async def __call__(self, ids: Sequence[UUID]) -> int:
        """How many of them were still parked."""
        async with self.uow:
            taken = await self.parked.take(ids)
            await self.inbox.forget([parked.unhandled.message for parked in taken])
            await self.outbox.add(taken)
        return len(taken)


class HandleReplayed:
    """Hands the oldest replayed messages to their consumer; they leave the outbox once it handled them, or
    parked them again."""

    def __init__(self, uow: UnitOfWork, backlog: Backlog) -> None:
        self.uow = uow
        self.backlog = backlog

    async def __call__(self, handle: Handler) -> RelayResult:
        """What was handled. Any failure puts all of it back."""
        async with self.uow:
            taken = await self.backlog.take(REPLAYED, count_max=ROWS_MAX)
            for envelope in envelopes(taken):
                await handle(envelope.body)
        return RelayResult.of(taken)


class DiscardParked:
    """Parked messages are thrown away for good; a record of each stays."""

    def __init__(self, uow: UnitOfWork, parked: ParkedMessages, discarded: DiscardedMessages) -> None:
        self.uow = uow
        self.parked = parked
        self.discarded = discarded

    async def __call__(self, ids: Sequence[UUID], *, by: str, note: str) -> int:
        """How many of them were still parked. The inbox still knows them: one delivered again stays away."""
        async with self.uow:
            taken = await self.parked.take(ids)
            await self.discarded.add(taken, by=by, note=note)
        return len(taken)
