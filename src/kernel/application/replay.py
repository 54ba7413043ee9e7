"""Hands parked messages back to their consumer, each once. The requests wait in the outbox."""

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

# Types of outbox rows that go back to their own service. They have no dot, unlike the types of events.
REPLAYED = "replayed"
LETTERS = "dead_letters"

logger = logging.getLogger(__name__)


def encode_replayed(parked: Parked, event_id: UUID, at: datetime) -> tuple[str, bytes]:
    """Returns an event's original bytes, which hold the id that the inbox knows. For a dead letter, returns
    only its id: the letter itself stays parked until it is handled."""
    if parked.unhandled.dead_letter:
        return LETTERS, str(parked.id).encode()
    return REPLAYED, parked.unhandled.payload


@dataclass
class HandleReplayed:
    """Hands the oldest replayed events to their consumer. They leave the outbox once the consumer has handled
    them or parked them again."""

    uow: UnitOfWork
    backlog: Backlog

    async def __call__(self, handle: Handler) -> RelayResult:
        """After a failure, all events stay in the outbox."""
        async with self.uow:
            taken = await self.backlog.take(REPLAYED, count_max=ROWS_MAX)
            for envelope in envelopes(taken):
                await handle(envelope.body)
        return RelayResult.of(taken)


@dataclass
class HandleLetters:
    """Hands dead letters to the consumer if operators asked to replay them.

    The request is removed before the letter is handed over, and the letter stays parked until it is handled.
    So a letter that crashes the process does that once for each request, and is never lost.
    """

    uow: UnitOfWork
    backlog: Backlog
    parked: ParkedMessages
    clock: Clock

    async def __call__(self, handle: Callable[[Parked], Awaitable[None]]) -> RelayResult:
        """Takes the requests of one row, so that few requests are lost if a letter crashes the process."""
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
