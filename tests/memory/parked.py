from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from uuid import UUID

from kernel.domain.events import Parked, Unhandled, joined
from kernel.ports.clock import Clock
from tests.memory.database import Table
from tests.memory.unit_of_work import MemoryUnitOfWork


def _key(parked: Parked) -> tuple[str, str, str]:
    return (parked.unhandled.type, parked.unhandled.subject, parked.unhandled.reason)


def _counted_up(new: Parked, row: Parked) -> Parked:
    count = row.count + new.count
    return replace(row, unhandled=new.unhandled, count=count, last_parked_at=new.last_parked_at)


PARKED = Table[Parked]({"key": _key, "id": lambda parked: parked.id})


class MemoryParkedMessages:
    def __init__(self, uow: MemoryUnitOfWork, clock: Clock) -> None:
        self._uow = uow
        self._clock = clock

    async def add(self, unhandled: Sequence[Unhandled]) -> None:
        for new in joined(unhandled, self._clock.new_id, self._clock.now()):
            if not await self._uow.transaction.try_insert(PARKED, new):
                await self._uow.transaction.update(PARKED, _key(new), partial(_counted_up, new))

    async def lock(self, ids: Sequence[UUID]) -> Sequence[Parked]:
        transaction = self._uow.transaction
        found = [row for id in set(ids) if (row := transaction.get(PARKED, id, by="id"))]
        rows = await transaction.lock(PARKED, sorted(map(_key, found)))
        return sorted((row for row in rows if row.id in set(ids)), key=lambda row: row.id)

    async def take(self, ids: Sequence[UUID]) -> Sequence[Parked]:
        taken = await self.lock(ids)
        for row in taken:
            await self._uow.transaction.delete(PARKED, _key(row))
        return taken


@dataclass(frozen=True, slots=True)
class Discarded:
    id: UUID
    parked: Parked
    at: datetime
    by: str
    note: str


DISCARDED = Table[Discarded]({"id": lambda discarded: discarded.id}, append_only=True)


class MemoryDiscardedMessages:
    def __init__(self, uow: MemoryUnitOfWork, clock: Clock) -> None:
        self._uow = uow
        self._clock = clock

    async def add(self, discarded: Sequence[Parked], *, by: str, note: str) -> None:
        now = self._clock.now()
        for parked in discarded:
            await self._uow.transaction.insert(
                DISCARDED, Discarded(self._clock.new_id(), parked, now, by, note)
            )
