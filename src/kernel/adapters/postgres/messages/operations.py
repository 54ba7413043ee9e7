from collections.abc import Mapping, Sequence
from uuid import UUID

from asyncpg import Record
from sqlalchemy import Uuid, any_, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from kernel.adapters.postgres.messages.causes import named, of_cause
from kernel.adapters.postgres.messages.text import storable
from kernel.adapters.postgres.statements.unit_of_work import PostgresUnitOfWork
from kernel.adapters.postgres.statements.unnest import arrays, insert_arrays, unnest
from kernel.adapters.postgres.tables import HELD, OPERATION_MESSAGES, OPERATIONS, PARKED
from kernel.domain.parked import Cause, Hold, Kind, Operation

_COLUMNS = tuple(OPERATIONS.c)
_ADD = insert_arrays(OPERATIONS)
_WAITING = select(bindparam("operation", type_=Uuid), PARKED.c.id, PARKED.c.count).order_by(PARKED.c.id)
_ONE = PARKED.c.id == bindparam("target", type_=Uuid)
_CHOOSE_ONE, _CHOOSE_ALL = (
    select(func.count().label("total")).select_from(
        insert(OPERATION_MESSAGES)
        .from_select(["operation", "message", "count"], _WAITING.where(chosen))
        .returning(OPERATION_MESSAGES.c.message)
        .cte("chosen")
    )
    for chosen in (_ONE, of_cause(PARKED))
)
_KEPT = select(OPERATIONS.c.total).where(OPERATIONS.c.id == bindparam("id", type_=Uuid))
_OLDEST = select(OPERATIONS).where(OPERATIONS.c.ended_at.is_(None)).order_by(OPERATIONS.c.id).limit(1)
_NEXT = _OLDEST.with_for_update(skip_locked=True)
_IS_ANY = _OLDEST.with_only_columns(OPERATIONS.c.id)
_OF_OPERATION = OPERATION_MESSAGES.c.operation == bindparam("operation", type_=Uuid)
_FIRST = (
    select(OPERATION_MESSAGES.c.message)
    .where(_OF_OPERATION)
    .order_by(OPERATION_MESSAGES.c.message)
    .limit(bindparam("count_max"))
)
_BATCH = (
    delete(OPERATION_MESSAGES)
    .where(_OF_OPERATION, OPERATION_MESSAGES.c.message == any_(func.array(_FIRST.scalar_subquery())))
    .returning(OPERATION_MESSAGES.c.message, OPERATION_MESSAGES.c.count)
)
_PROGRESS = (OPERATIONS.c.id, OPERATIONS.c.passed, OPERATIONS.c.done, OPERATIONS.c.ended_at)
_saved = unnest(*_PROGRESS)
_SAVE = (
    update(OPERATIONS)
    .where(OPERATIONS.c.id == _saved.c.id)
    .values(passed=_saved.c.passed, done=_saved.c.done, ended_at=_saved.c.ended_at)
)

_HELD = tuple(HELD.c)
_HOLD = insert_arrays(HELD)
_HOLD_ANEW = _HOLD.on_conflict_do_update(
    index_elements=[*HELD.primary_key],
    set_={name: _HOLD.excluded[name] for name in ("owner", "note", "ticket", "held_by", "held_at")},
)
_RELEASE = delete(HELD).where(of_cause(HELD)).returning(HELD.c.owner)


class PostgresOperations:
    def __init__(self, uow: PostgresUnitOfWork) -> None:
        self._uow = uow

    async def add(self, operation: Operation, messages: UUID | Cause) -> int:
        if kept := await self._uow.transaction.execute(_KEPT, {"id": operation.id}):
            return int(kept[0]["total"])
        choose = _CHOOSE_ALL if isinstance(messages, Cause) else _CHOOSE_ONE
        chosen = named(messages) if isinstance(messages, Cause) else {"target": messages}
        rows = await self._uow.transaction.execute(choose, {"operation": operation.id, **chosen})
        total: int = rows[0]["total"]
        await self._uow.transaction.write(_ADD, arrays(_COLUMNS, [_row(operation, total)]))
        return total

    async def next(self) -> Operation | None:
        if not await self._uow.transaction.look(_IS_ANY):
            return None
        rows = await self._uow.transaction.execute(_NEXT)
        return operation_of(rows[0]) if rows else None

    async def batch(self, operation: Operation, *, count_max: int) -> Mapping[UUID, int]:
        wanted = {"operation": operation.id, "count_max": count_max}
        return {row["message"]: row["count"] for row in await self._uow.transaction.execute(_BATCH, wanted)}

    async def save(self, operation: Operation) -> None:
        row = (operation.id, operation.passed, operation.done, operation.ended_at)
        await self._uow.transaction.write(_SAVE, arrays(_PROGRESS, [row]))


class PostgresHeldCauses:
    def __init__(self, uow: PostgresUnitOfWork) -> None:
        self._uow = uow

    async def hold(self, holds: Mapping[Cause, Hold]) -> None:
        rows = sorted(
            (
                *(cause.dead_letter, cause.type, cause.reason),
                *(storable(hold.owner), storable(hold.note), storable(hold.ticket)),
                *(storable(hold.held_by), hold.held_at),
            )
            for cause, hold in holds.items()
        )
        await self._uow.transaction.write(_HOLD_ANEW, arrays(_HELD, rows))

    async def release(self, cause: Cause) -> bool:
        return bool(await self._uow.transaction.execute(_RELEASE, named(cause)))


def _row(operation: Operation, total: int) -> Sequence[object]:
    return (
        operation.id,
        operation.kind.value,
        operation.target,
        storable(operation.about),
        storable(operation.operator),
        storable(operation.through),
        storable(operation.note),
        total,
        operation.passed,
        operation.done,
        operation.began_at,
        operation.ended_at,
    )


def operation_of(row: Record) -> Operation:
    return Operation(**{**row, "kind": Kind(row["kind"])})
