from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import bindparam, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.statements.reading import read
from kernel.adapters.postgres.statements.unit_of_work import PostgresUnitOfWork
from kernel.adapters.postgres.statements.unnest import document, records
from kernel.adapters.postgres.tables import OPERATOR_RECORD
from kernel.domain.acts import Act, Place

_COLUMNS = tuple(OPERATOR_RECORD.c)
_ADD = (
    insert(OPERATOR_RECORD)
    .from_select([c.name for c in _COLUMNS], select(records(*_COLUMNS)))
    .on_conflict_do_nothing(index_elements=[*OPERATOR_RECORD.primary_key])
)
_ONE = select(OPERATOR_RECORD).where(
    *(c == bindparam(c.name, type_=c.type) for c in OPERATOR_RECORD.primary_key)
)
_PLACE = (OPERATOR_RECORD.c.at, OPERATOR_RECORD.c.subject, OPERATOR_RECORD.c.did)
_NEWEST = (
    select(OPERATOR_RECORD).order_by(*(column.desc() for column in _PLACE)).limit(bindparam("count_max"))
)
_OLDER = _NEWEST.where(tuple_(*_PLACE) < tuple_(*(bindparam(c.name, type_=c.type) for c in _PLACE)))


class PostgresOperatorRecord:
    def __init__(self, uow: PostgresUnitOfWork) -> None:
        self._uow = uow

    async def add(self, acts: Sequence[Act]) -> None:
        if acts:
            rows = sorted(acts, key=lambda act: (act.user_id, act.subject, act.did))
            await self._uow.transaction.write(_ADD, document(OPERATOR_RECORD, rows))

    async def of(self, user_id: str, subject: UUID, did: str) -> Act | None:
        key = {"user_id": user_id, "subject": subject, "did": did}
        rows = await self._uow.transaction.execute(_ONE, key)
        return Act(**rows[0]) if rows else None


class PostgresRecordedActs:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def page(self, *, after: Place | None, count_max: int) -> Sequence[Act]:
        query = _NEWEST if after is None else _OLDER
        place = {} if after is None else {c.name: value for c, value in zip(_PLACE, after, strict=True)}
        rows = await read(self._engine, query, {**place, "count_max": count_max})
        return [Act(**row) for row in rows]
