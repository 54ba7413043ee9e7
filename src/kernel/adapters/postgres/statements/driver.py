"""Runs statements of SQLAlchemy Core directly on the driver.

Core compiles each statement once, and keeps the pool. Core could execute the statements too, but at 0.12 ms
of CPU for each (docs/decisions/0011-statements-on-the-driver.md). Statements must be constants, because their
SQL is cached without limit. The functions raise the driver's errors.
"""

from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import cache
from time import perf_counter
from typing import Any, TypeVar, cast

import asyncpg
from sqlalchemy import ClauseElement, PoolProxiedConnection
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.sql.compiler import SQLCompiler

from kernel.adapters.postgres.connections.failures import DRIVER_ERRORS, connecting
from kernel.adapters.postgres.connections.lanes import share_of
from kernel.adapters.postgres.connections.pool import pool_of
from kernel.adapters.postgres.connections.primary import PrimaryConnection
from kernel.domain.errors import OutcomeUnknown

_DIALECT = dialect()  # type: ignore[no-untyped-call]  # the library types all but this
ROLLBACK_S = 1.0

T = TypeVar("T")


async def execute(
    connection: PrimaryConnection, statement: ClauseElement, parameters: Mapping[str, Any]
) -> list[asyncpg.Record]:
    """Runs a statement and returns its rows. Raises if the server says that it takes no more writes."""
    rows = await write(connection, statement, parameters)
    connection.require_primary()
    return rows


async def write(
    connection: PrimaryConnection, statement: ClauseElement, parameters: Mapping[str, Any]
) -> list[asyncpg.Record]:
    """Runs a statement. If it commits by itself, it is final once confirmed, so no check follows."""
    sql, operation, names, constants = _compiled(statement, connection.schema)
    values = [parameters[name] if name in parameters else constants[name] for name in names]
    try:
        rows: list[asyncpg.Record] = await _measured(connection, operation, connection.fetch(sql, *values))
    except asyncpg.ReadOnlySQLTransactionError:
        connection.primary.retire()
        raise
    return rows


@cache  # one entry for each statement in the code and each lane
def _compiled(statement: ClauseElement, schema: str | None) -> tuple[str, str, list[str], Mapping[str, Any]]:
    """Returns the SQL, its first word, the parameters' names in order, and the constants' values."""
    options: dict[str, Any] = {}
    if schema is not None:
        options = {"schema_translate_map": {None: schema}, "render_schema_translate": True}
    compiled = cast(SQLCompiler, statement.compile(dialect=_DIALECT, **options))
    constants = {name: bound.value for name, bound in compiled.binds.items() if not bound.required}
    sql = str(compiled)
    return sql, sql.split(maxsplit=1)[0], compiled.positiontup or [], constants


async def command(connection: PrimaryConnection, sql: str) -> None:
    """Runs BEGIN or COMMIT."""
    await _measured(connection, sql, connection.execute(sql))


async def _measured(connection: PrimaryConnection, operation: str, answer: Awaitable[T]) -> T:
    began, error = perf_counter(), ""
    try:
        answered = await answer
        connection.answered = True
        return answered
    except BaseException as raised:
        error = type(raised).__name__
        connection.answered = False if isinstance(raised, TimeoutError) else None
        raise
    finally:
        connection.primary.measure(operation, perf_counter() - began, error)


@asynccontextmanager
async def connected(engine: AsyncEngine) -> AsyncIterator[PrimaryConnection]:
    """Lends a usable connection of the pool. Afterwards the connection is closed, not returned, if it may
    still be within a transaction or a statement, or if its server takes no more writes."""
    lane = share_of(engine)
    if lane is not None:
        await lane.acquire()
    try:
        pooled = await _lend(engine)
        connection = _driver(pooled)
        connection.schema = None if lane is None else lane.schema
        whole = False  # A statement that was cancelled or timed out may still run.
        try:
            yield connection
            whole = True
        except Exception as error:
            pool_of(engine).note(error, silent=connection.answered is False)
            whole = not isinstance(error, OutcomeUnknown | TimeoutError) and await _rolled_back(connection)
            raise
        except BaseException:
            await _cancelled(connection)
            raise
        finally:
            if whole and connection.takes_writes():
                connection.primary.idle.add(connection)
                if connection.answered:
                    pool_of(engine).away_since = None
                pooled.close()
            else:
                _discard(pooled)
    finally:
        if lane is not None:
            lane.release()


async def _rolled_back(connection: PrimaryConnection) -> bool:
    """Rolls back an open transaction. Returns whether the connection is certainly in no transaction."""
    if connection.is_closed() or connection.primary.retired:
        return False
    with suppress(*DRIVER_ERRORS, OSError, TimeoutError):
        if connection.is_in_transaction():
            await connection.execute("ROLLBACK", timeout=ROLLBACK_S)
        return True
    return False


async def _cancelled(connection: PrimaryConnection) -> None:
    """Tells the server to cancel the statement, then closes the connection.

    Without the cancel, a server process that waits for a lock misses the close, and keeps its own locks.
    """
    with suppress(*DRIVER_ERRORS, OSError, TimeoutError):
        await connection.close(timeout=ROLLBACK_S)


def _discard(pooled: PoolProxiedConnection) -> None:
    _driver(pooled).terminate()
    pooled.invalidate()


async def _lend(engine: AsyncEngine) -> PoolProxiedConnection:
    """Takes the next usable connection from the pool. A connection in the pool may be closed, because its
    server closed it or is no longer the primary."""
    while True:
        with connecting():
            pooled = pool_of(engine).at_hand() or await engine.raw_connection()
        connection = _driver(pooled)
        connection.primary.idle.discard(connection)
        connection.primary.measure = pool_of(engine).measure
        connection.answered = None
        if not connection.is_closed() and not connection.is_in_transaction() and connection.takes_writes():
            return pooled
        _discard(pooled)


def _driver(pooled: PoolProxiedConnection) -> PrimaryConnection:
    return cast(PrimaryConnection, pooled.driver_connection)
