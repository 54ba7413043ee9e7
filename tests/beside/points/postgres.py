from collections.abc import Mapping

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.statements.reading import read
from kernel.adapters.postgres.statements.unit_of_work import PostgresUnitOfWork
from kernel.adapters.postgres.statements.unnest import arrays, unnest
from kernel.adapters.postgres.tables import PARKED
from points.tables import POINTS

_COLUMNS = tuple(POINTS.c)
_INSERT = insert(POINTS).from_select([c.name for c in _COLUMNS], select(unnest(*_COLUMNS)))
_ADD = _INSERT.on_conflict_do_update(
    index_elements=[POINTS.c.user_id], set_={"points": POINTS.c.points + _INSERT.excluded.points}
)
_OF_USER = select(POINTS.c.points).where(POINTS.c.user_id == bindparam("user_id"))

_PARKED = select(PARKED.c.id).limit(1)


class PostgresPoints:
    def __init__(self, uow: PostgresUnitOfWork) -> None:
        self._uow = uow

    async def add(self, points: Mapping[str, int]) -> None:
        if points:
            await self._uow.transaction.write(_ADD, arrays(_COLUMNS, sorted(points.items())))


async def nothing_is_parked(engine: AsyncEngine) -> bool:
    return not await read(engine, _PARKED)


async def points_of(engine: AsyncEngine, user_id: str) -> int:
    rows = await read(engine, _OF_USER, {"user_id": user_id})
    return int(rows[0]["points"]) if rows else 0
