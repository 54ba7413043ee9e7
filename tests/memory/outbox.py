from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from functools import partial
from operator import attrgetter
from typing import Generic, TypeVar
from uuid import UUID

from kernel.application.envelopes import Encode, pack
from kernel.application.set_aside import ASIDE
from kernel.domain.ids import made_at
from kernel.ports.clock import Clock
from kernel.ports.outbox import OutboxRow
from tests.memory.database import Table
from tests.memory.unit_of_work import MemoryUnitOfWork

E = TypeVar("E")


OUTBOX = Table[OutboxRow]({"id": lambda row: (row.type, row.id)})


class MemoryOutbox(Generic[E]):
    def __init__(
        self, uow: MemoryUnitOfWork, clock: Clock, encode: Encode[E], committed: Callable[[OutboxRow], None]
    ) -> None:
        self._uow = uow
        self._clock = clock
        self._encode = encode
        self._committed = committed

    async def add(self, events: Sequence[E]) -> None:
        rows = pack(events, self._encode, self._clock)
        for row in rows:
            await self._uow.transaction.insert(OUTBOX, row)
            self._uow.after_commit(partial(self._committed, row))


class MemoryBacklog:
    def __init__(self, uow: MemoryUnitOfWork) -> None:
        self._uow = uow

    async def take(
        self, event_type: str, *, count_max: int, before: datetime | None = None
    ) -> Sequence[OutboxRow]:
        unlocked = self._uow.transaction.unlocked(OUTBOX)
        waiting = [row for row in unlocked if row.type == event_type]
        taken = [row for row in waiting if before is None or made_at(row.id) < before][:count_max]
        await self.remove(event_type, [row.id for row in taken])
        return taken

    async def waiting(
        self, event_type: str, *, count_max: int, before: datetime, but: Collection[UUID]
    ) -> Sequence[OutboxRow]:
        committed = sorted(self._uow.transaction.committed(OUTBOX), key=attrgetter("id"))
        rows = [row for row in committed if row.type == event_type and made_at(row.id) < before]
        return [row for row in rows if row.id not in but][:count_max]

    async def types_waiting(self, event_types: Sequence[str]) -> Sequence[str]:
        waiting = {row.type for row in self._uow.transaction.committed(OUTBOX)}
        return [name for name in event_types if name in waiting]

    async def remove(self, event_type: str, ids: Sequence[UUID]) -> None:
        for row_id in ids:
            await self._uow.transaction.delete(OUTBOX, (event_type, row_id))

    async def waiting_since(self) -> datetime | None:
        rows = self._uow.transaction.committed(OUTBOX)
        ids = [row.id for row in rows if not row.type.startswith(ASIDE)]
        return made_at(min(ids)) if ids else None
