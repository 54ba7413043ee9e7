"""Runs single statements that only read, without BEGIN and ROLLBACK, which would cost round trips."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import asyncpg
from sqlalchemy import ClauseElement
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.connections.failures import translate_errors
from kernel.adapters.postgres.statements.driver import connected, execute
from kernel.domain.errors import Contention, Unavailable

# The gateway waits at most this long for the answer to a read.
READ_WITHIN_S = 5.0
_NONE: Mapping[str, Any] = {}


async def read(
    engine: AsyncEngine, statement: ClauseElement, parameters: Mapping[str, Any] = _NONE
) -> list[asyncpg.Record]:
    """Returns the rows, read from the host that takes writes. Raises Unavailable.

    If the connection fails, or its server takes no more writes, the statement is run once more, on the host
    that takes writes by then.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + READ_WITHIN_S
    try:
        return await _read(engine, statement, parameters)
    except Unavailable as error:
        if error.code == "overloaded" or loop.time() >= deadline:
            raise
    with _translate_errors():
        async with asyncio.timeout_at(deadline):
            return await _read(engine, statement, parameters)


async def _read(
    engine: AsyncEngine, statement: ClauseElement, parameters: Mapping[str, Any]
) -> list[asyncpg.Record]:
    with _translate_errors():
        async with connected(engine) as connection:
            return await execute(connection, statement, parameters)


@contextmanager
def _translate_errors() -> Iterator[None]:
    try:
        with translate_errors():
            yield
    except Contention as error:
        raise Unavailable("the database is busy", code="overloaded") from error
