"""Statements of SQLAlchemy Core, run by the driver itself.

Core writes the SQL, once, and keeps the pool. Its own execution, which takes any database's driver for any
other's, costs 0.12 ms of a core a statement (docs/decisions/0011-statements-on-the-driver.md).
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from functools import lru_cache
from typing import Any

import asyncpg
from sqlalchemy import ClauseElement, Insert, PoolProxiedConnection, Update
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.sql.compiler import SQLCompiler

from kernel.adapters.postgres.failures import DRIVER_ERRORS
from kernel.domain.errors import OutcomeUnknown

_DIALECT = dialect()  # type: ignore[no-untyped-call]  # the library types all but this
ROLLBACK_S = 1.0
Write = Insert | Update
_NONE: Mapping[str, Any] = {}


class DriverConnection:
    """For as long as `connected` lends it. Statements are constants; methods raise what the driver raises."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.driver = connection
        self.waiting: dict[Write, Mapping[str, Any]] = {}

    async def execute(
        self, statement: ClauseElement, parameters: Mapping[str, Any] = _NONE
    ) -> list[asyncpg.Record]:
        """The rows of a statement, which sees what was written before it."""
        await self.flush()
        return await self._fetch(statement, parameters)

    async def write(self, statement: Write, parameters: Mapping[str, Any]) -> None:
        """Several writes travel together, and fail together, when the next statement or `flush` sends them.

        Of one table only one at a time: PostgreSQL leaves open which part of a statement is done first.
        """
        if any(statement.table is other.table for other in self.waiting):
            await self.flush()
        self.waiting[statement] = parameters

    async def flush(self) -> None:
        if self.waiting:
            waiting, self.waiting = self.waiting, {}
            parameters = {name: value for given in waiting.values() for name, value in given.items()}
            assert len(parameters) == sum(map(len, waiting.values())), "two parameters have one name"
            await self._fetch(_joined(tuple(waiting)), parameters)

    async def _fetch(self, statement: ClauseElement, parameters: Mapping[str, Any]) -> list[asyncpg.Record]:
        sql, names, constants = _compiled(statement)
        values = [parameters[name] if name in parameters else constants[name] for name in names]
        rows: list[asyncpg.Record] = await self.driver.fetch(sql, *values)
        return rows


@lru_cache(maxsize=64)
def _joined(writes: tuple[Write, ...]) -> Write:
    """One statement of several."""
    *earlier, last = writes
    return last.add_cte(*(write.cte(f"write_{number}") for number, write in enumerate(earlier)))


@lru_cache(maxsize=256)
def _compiled(statement: ClauseElement) -> tuple[str, list[str], Mapping[str, Any]]:
    """The SQL, the names of its parameters in order, and the values of those that are constant."""
    compiled = statement.compile(dialect=_DIALECT)
    assert isinstance(compiled, SQLCompiler)
    constants = {name: bound.value for name, bound in compiled.binds.items() if not bound.required}
    return str(compiled), compiled.positiontup or [], constants


@asynccontextmanager
async def connected(engine: AsyncEngine) -> AsyncIterator[DriverConnection]:
    """A connection of the pool that is whole; none goes back within a transaction or a statement."""
    pooled = await _whole(engine)
    connection = _driver(pooled)
    whole = False  # What was cancelled, or took too long, may still be under way.
    try:
        lent = DriverConnection(connection)
        yield lent
        assert not lent.waiting, "a write was never sent"
        whole = True
    except Exception as error:
        whole = not isinstance(error, OutcomeUnknown | TimeoutError) and await _rolled_back(connection)
        raise
    finally:
        if whole:
            pooled.close()
        else:
            _discard(pooled)


async def _rolled_back(connection: asyncpg.Connection) -> bool:
    """Whether nothing of a transaction is left."""
    if connection.is_closed():
        return False
    with suppress(*DRIVER_ERRORS, OSError, TimeoutError):
        if connection.is_in_transaction():
            await connection.execute("ROLLBACK", timeout=ROLLBACK_S)
        return True
    return False


def _discard(pooled: PoolProxiedConnection) -> None:
    _driver(pooled).terminate()
    pooled.invalidate()


async def _whole(engine: AsyncEngine) -> PoolProxiedConnection:
    """A server that restarted has closed connections while they lay in the pool."""
    while True:
        pooled = await engine.raw_connection()
        if not _driver(pooled).is_closed():
            return pooled
        _discard(pooled)


def _driver(pooled: PoolProxiedConnection) -> asyncpg.Connection:
    driver: asyncpg.Connection = pooled.driver_connection
    return driver
