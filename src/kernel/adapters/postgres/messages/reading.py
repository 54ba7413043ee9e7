"""Reads parked messages, holds and operations, for operators."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from asyncpg import Record
from sqlalchemy import Text, Uuid, any_, bindparam, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.messages.causes import named, of_cause
from kernel.adapters.postgres.messages.operations import operation_of
from kernel.adapters.postgres.statements.reading import read
from kernel.adapters.postgres.tables import HELD, OPERATIONS, PARKED
from kernel.domain.parked import Cause, Figures, Hold, Operation, Waiting

# This many bytes are enough to recognise a message. The body of a message may have megabytes.
BEGINNING_BYTES = 16 * 1024
_FIRST = UUID(int=0)

_CAUSE = (PARKED.c.dead_letter, PARKED.c.type, PARKED.c.reason)
_SHOWN = select(
    *(c for c in PARKED.c if c is not PARKED.c.payload),
    func.length(PARKED.c.payload).label("size"),
    func.substr(PARKED.c.payload, 1, BEGINNING_BYTES).label("beginning"),
)
_PAGE = (
    _SHOWN.where(PARKED.c.id > bindparam("after", type_=Uuid))
    .order_by(PARKED.c.id)
    .limit(bindparam("count_max"))
)
_PAGE_OF_CAUSE = _PAGE.where(of_cause(PARKED))
_SOME = _SHOWN.where(PARKED.c.id == any_(bindparam("ids", type_=ARRAY(Uuid))))
# PostgreSQL before 18 has no min() of UUIDs. Their texts have the same order.
_CAUSES = select(
    *_CAUSE,
    func.count().label("messages"),
    func.sum(PARKED.c.count).label("times"),
    func.min(PARKED.c.first_parked_at).label("oldest_at"),
    func.max(PARKED.c.last_parked_at).label("newest_at"),
    func.min(cast(PARKED.c.id, Text)).label("sample"),
).group_by(*_CAUSE)
_HELD = select(HELD)
_OPERATION = select(OPERATIONS).where(OPERATIONS.c.id == bindparam("id", type_=Uuid))


class PostgresParkedReading:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def page(
        self, *, cause: Cause | None = None, after: UUID | None = None, count_max: int
    ) -> Sequence[Waiting]:
        wanted: dict[str, Any] = {"after": after or _FIRST, "count_max": count_max}
        if cause is None:
            return list(map(_waiting, await read(self._engine, _PAGE, wanted)))
        return list(map(_waiting, await read(self._engine, _PAGE_OF_CAUSE, {**wanted, **named(cause)})))

    async def find(self, message: UUID) -> Waiting | None:
        found = await self._some([message])
        return found.get(message)

    async def causes(self) -> Mapping[Cause, Figures]:
        """Returns all causes, except those whose sample message was removed between the two queries."""
        rows = await read(self._engine, _CAUSES)
        samples = await self._some([UUID(row["sample"]) for row in rows])
        return {
            _cause(row): Figures(
                messages=row["messages"],
                count=row["times"],
                oldest_at=row["oldest_at"],
                newest_at=row["newest_at"],
                sample=samples[UUID(row["sample"])],
            )
            for row in rows
            if UUID(row["sample"]) in samples
        }

    async def held(self) -> Mapping[Cause, Hold]:
        return {
            _cause(row): Hold(
                owner=row["owner"],
                note=row["note"],
                ticket=row["ticket"],
                held_by=row["held_by"],
                held_at=row["held_at"],
            )
            for row in await read(self._engine, _HELD)
        }

    async def operation(self, id: UUID) -> Operation | None:
        rows = await read(self._engine, _OPERATION, {"id": id})
        return operation_of(rows[0]) if rows else None

    async def _some(self, ids: Sequence[UUID]) -> Mapping[UUID, Waiting]:
        return {row["id"]: _waiting(row) for row in await read(self._engine, _SOME, {"ids": list(ids)})}


def _waiting(row: Record) -> Waiting:
    return Waiting(
        id=row["id"],
        cause=_cause(row),
        subject=row["subject"],
        detail=row["detail"],
        count=row["count"],
        first_parked_at=row["first_parked_at"],
        last_parked_at=row["last_parked_at"],
        size=row["size"],
        beginning=row["beginning"],
    )


def _cause(row: Record) -> Cause:
    return Cause(row["dead_letter"], row["type"], row["reason"])
