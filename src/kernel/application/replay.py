"""Parked messages go back to their consumer, each once, by way of the outbox."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from kernel.application.backoff import until_done
from kernel.application.envelopes import envelopes
from kernel.application.relay import ROWS_MAX, RelayResult
from kernel.domain.events import Parked
from kernel.ports.bus import Handler, Unreadable
from kernel.ports.clock import Clock
from kernel.ports.outbox import Backlog
from kernel.ports.parked import ParkedMessages
from kernel.ports.unit_of_work import UnitOfWork

# In the outbox, the types of what goes back to its own service; no event has a type without a dot.
REPLAYED = "replayed"
LETTERS = "dead_letters"

logger = logging.getLogger(__name__)


def encode_replayed(parked: Parked, event_id: UUID, at: datetime) -> tuple[str, bytes]:
    """An event as it came: it keeps its own id, by which the inbox knows it. Of a dead letter the id only: it
    stays parked until it is handled."""
    if parked.unhandled.dead_letter:
        return LETTERS, str(parked.id).encode()
    return REPLAYED, parked.unhandled.payload


@dataclass
class HandleReplayed:
    """Hands the oldest replayed events to their consumer; they leave the outbox once it handled them, or
    parked them again."""

    uow: UnitOfWork
    backlog: Backlog

    async def __call__(self, handle: Handler) -> RelayResult:
        """What was handled. Any failure puts all of it back."""
        async with self.uow:
            taken = await self.backlog.take(REPLAYED, count_max=ROWS_MAX)
            for envelope in envelopes(taken):
                await handle(envelope.body)
        return RelayResult.of(taken)


@dataclass
class HandleLetters:
    """Hands dead letters to the consumer, each where an operator asked for it.

    The request is gone before the letter is handed over, and the letter stays parked until it is handled. So
    one that ends the process does so once for each request, and is never lost.
    """

    uow: UnitOfWork
    backlog: Backlog
    parked: ParkedMessages
    clock: Clock

    async def __call__(self, handle: Callable[[Parked], Awaitable[None]]) -> RelayResult:
        """The requests that were taken, a row of them at a time: a letter that ends the process takes few
        others with it."""
        async with self.uow:
            taken = await self.backlog.take(LETTERS, count_max=1)
            ids = [UUID(one) for row in taken for one in row.events.decode().split(",")]
            letters = await self.parked.lock(ids) if ids else []
        for letter in letters:
            try:
                await handle(letter)
            except Unreadable as error:
                logger.warning("a dead letter is still unreadable, it stays parked: %s", error)
            except Exception:
                logger.exception("a dead letter was not handled, it stays parked")
            else:
                await until_done(partial(self._remove, letter), self.clock)
        return RelayResult(len(ids), full=bool(taken))

    async def _remove(self, letter: Parked) -> None:
        async with self.uow:
            await self.parked.take([letter.id])
