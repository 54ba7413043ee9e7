from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from uuid import UUID

from kernel.domain.events import Parked
from kernel.domain.parked import Cause, Figures, Hold, Operation, Waiting
from tests.memory.database import MemoryDatabase, Table
from tests.memory.parked import PARKED
from tests.memory.unit_of_work import MemoryUnitOfWork

BEGINNING_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Chosen:
    operation: UUID
    message: UUID
    count: int


@dataclass(frozen=True, slots=True)
class Held:
    cause: Cause
    hold: Hold


OPERATIONS = Table[Operation]({"id": lambda operation: operation.id})
OPERATION_MESSAGES = Table[Chosen]({"message": lambda chosen: (chosen.operation, chosen.message)})
HELD = Table[Held]({"cause": lambda held: (held.cause.dead_letter, held.cause.type, held.cause.reason)})


class MemoryOperations:
    def __init__(self, uow: MemoryUnitOfWork) -> None:
        self._uow = uow

    async def add(self, operation: Operation, messages: UUID | Cause) -> int:
        transaction = self._uow.transaction
        if kept := transaction.get(OPERATIONS, operation.id):
            return kept.total
        rows = [row for row in transaction.committed(PARKED) if messages in (row.id, cause_of(row))]
        for row in sorted(rows, key=lambda row: row.id):
            await transaction.insert(OPERATION_MESSAGES, Chosen(operation.id, row.id, row.count))
        await transaction.insert(OPERATIONS, replace(operation, total=len(rows)))
        return len(rows)

    async def next(self) -> Operation | None:
        running = [row for row in self._uow.transaction.unlocked(OPERATIONS) if row.ended_at is None]
        for row in running[:1]:
            await self._uow.transaction.lock(OPERATIONS, [row.id])
            return row
        return None

    async def batch(self, operation: Operation, *, count_max: int) -> Mapping[UUID, int]:
        transaction = self._uow.transaction
        rows = [row for row in transaction.unlocked(OPERATION_MESSAGES) if row.operation == operation.id]
        for row in rows[:count_max]:
            await transaction.delete(OPERATION_MESSAGES, (row.operation, row.message))
        return {row.message: row.count for row in rows[:count_max]}

    async def save(self, operation: Operation) -> None:
        await self._uow.transaction.update(OPERATIONS, operation.id, lambda _: operation)


class MemoryHeldCauses:
    def __init__(self, uow: MemoryUnitOfWork) -> None:
        self._uow = uow

    async def hold(self, holds: Mapping[Cause, Hold]) -> None:
        for held in (Held(cause, holds[cause]) for cause in sorted(holds, key=_key)):
            await self._uow.transaction.delete(HELD, _key(held.cause))
            await self._uow.transaction.insert(HELD, held)

    async def release(self, cause: Cause) -> bool:
        was_held = bool(await self._uow.transaction.lock(HELD, [_key(cause)]))
        await self._uow.transaction.delete(HELD, _key(cause))
        return was_held


class MemoryParkedReading:
    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def page(
        self, *, cause: Cause | None = None, after: UUID | None = None, count_max: int
    ) -> Sequence[Waiting]:
        rows = sorted(self._database.rows(PARKED), key=lambda row: row.id)
        wanted = [row for row in rows if after is None or row.id > after]
        return [_waiting(row) for row in wanted if cause in (None, cause_of(row))][:count_max]

    async def find(self, message: UUID) -> Waiting | None:
        row = self._database.get(PARKED, message, by="id")
        return _waiting(row) if row else None

    async def causes(self) -> Mapping[Cause, Figures]:
        rows = sorted(self._database.rows(PARKED), key=lambda row: (_key(cause_of(row)), row.id))
        return {cause: _figures(list(same)) for cause, same in groupby(rows, cause_of)}

    async def held(self) -> Mapping[Cause, Hold]:
        return {held.cause: held.hold for held in self._database.rows(HELD)}

    async def operation(self, id: UUID) -> Operation | None:
        return self._database.get(OPERATIONS, id)


def cause_of(row: Parked) -> Cause:
    return Cause(row.unhandled.dead_letter, row.unhandled.type, row.unhandled.reason)


def _key(cause: Cause) -> tuple[bool, str, str]:
    return (cause.dead_letter, cause.type, cause.reason)


def _waiting(row: Parked) -> Waiting:
    return Waiting(
        id=row.id,
        cause=cause_of(row),
        subject=row.unhandled.subject,
        detail=row.unhandled.detail,
        count=row.count,
        first_parked_at=row.first_parked_at,
        last_parked_at=row.last_parked_at,
        size=len(row.unhandled.payload),
        beginning=row.unhandled.payload[:BEGINNING_BYTES],
    )


def _figures(rows: list[Parked]) -> Figures:
    return Figures(
        messages=len(rows),
        count=sum(row.count for row in rows),
        oldest_at=min(row.first_parked_at for row in rows),
        newest_at=max(row.last_parked_at for row in rows),
        sample=_waiting(rows[0]),
    )
