from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Generic, TypeVar

from kernel.adapters.memory.database import Table
from kernel.adapters.memory.unit_of_work import MemoryUnitOfWork
from kernel.application.envelopes import Encode, pack
from kernel.domain.ids import made_at
from kernel.ports.clock import Clock
from kernel.ports.outbox import Joined

E = TypeVar("E")


OUTBOX = Table[Joined]({"id": lambda row: (row.type, row.id)})


class MemoryOutbox(Generic[E]):
    def __init__(
        self, uow: MemoryUnitOfWork, clock: Clock, encode: Encode[E], wake: Callable[[str], None]
    ) -> None:
        self._uow = uow
        self._clock = clock
        self._encode = encode
        self._wake = wake

    async def add(self, events: Sequence[E]) -> None:
        rows = pack(events, self._encode, self._clock)
        for row in rows:
            await self._uow.transaction.insert(OUTBOX, row)
        for event_type in dict.fromkeys(row.type for row in rows):
            self._uow.after_commit(partial(self._wake, event_type))


class MemoryBacklog:
    def __init__(self, uow: MemoryUnitOfWork) -> None:
        self._uow = uow

    async def take(self, event_type: str, *, count_max: int) -> Sequence[Joined]:
        transaction = self._uow.transaction
        taken = [row for row in transaction.unlocked(OUTBOX) if row.type == event_type][:count_max]
        for row in taken:
            await transaction.delete(OUTBOX, (row.type, row.id))
        return taken

    async def waiting_since(self) -> datetime | None:
        ids = [row.id for row in self._uow.transaction.committed(OUTBOX)]
        return made_at(min(ids)) if ids else None
