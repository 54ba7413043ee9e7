from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Generic, TypeVar
from uuid import UUID

from kernel.adapters.memory.database import Table
from kernel.adapters.memory.unit_of_work import MemoryUnitOfWork
from kernel.domain.ids import made_at
from kernel.ports.clock import Clock

E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class Waiting:
    """An encoded event that waits to be published."""

    type: str
    id: UUID
    event: bytes


OUTBOX = Table[Waiting]({"id": lambda waiting: (waiting.type, waiting.id)})


class MemoryOutbox(Generic[E]):
    def __init__(
        self,
        uow: MemoryUnitOfWork,
        clock: Clock,
        encode: Callable[[E, UUID, datetime], tuple[str, bytes]],
        wake: Callable[[str], None],
    ) -> None:
        self._uow = uow
        self._clock = clock
        self._encode = encode
        self._wake = wake

    async def add(self, events: Sequence[E]) -> None:
        now = self._clock.now()
        types: dict[str, None] = {}
        for event in events:
            event_id = self._clock.new_id()
            event_type, body = self._encode(event, event_id, now)
            await self._uow.transaction.insert(OUTBOX, Waiting(event_type, event_id, body))
            types[event_type] = None
        for event_type in types:
            self._uow.after_commit(partial(self._wake, event_type))


class MemoryBacklog:
    def __init__(self, uow: MemoryUnitOfWork) -> None:
        self._uow = uow

    async def take(self, event_type: str, *, count_max: int) -> Sequence[bytes]:
        transaction = self._uow.transaction
        waiting = [row for row in transaction.unlocked(OUTBOX) if row.type == event_type]
        for row in waiting[:count_max]:
            await transaction.delete(OUTBOX, (row.type, row.id))
        return [row.event for row in waiting[:count_max]]

    async def waiting_since(self) -> datetime | None:
        ids = [row.id for row in self._uow.transaction.committed(OUTBOX)]
        return made_at(min(ids)) if ids else None
