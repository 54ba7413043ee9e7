"""Reads a consistent snapshot of one database, without disturbing the services that use it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg

from kernel.adapters.postgres.audit import Row
from kernel.adapters.postgres.connections.failures import translate_errors
from kernel.adapters.postgres.connections.hosts import Hosts
from kernel.domain.errors import Contention, Unavailable

CONNECT_TIMEOUT_S = 5
# The number of rows that a stream fetches into memory at a time.
PREFETCH = 1000
# The transaction may be idle for long, while the audit reads another database. But if the audit hangs, its
# transaction must not hold back vacuum for ever. SET LOCAL works behind a pooler too.
SETTINGS = """
SET LOCAL idle_in_transaction_session_timeout = '10min';
SET LOCAL statement_timeout = 0;
SET LOCAL timezone = 'UTC';
SET LOCAL work_mem = '64MB';
SET LOCAL jit = off;
"""
NAME = {"application_name": "shop audit"}


@contextmanager
def _reading() -> Iterator[None]:
    """Translates errors like `translate_errors`, but raises Unavailable instead of Contention."""
    try:
        with translate_errors():
            yield
    except Contention as error:
        raise Unavailable(f"the database interrupted the audit: {error}") from error


class Snapshot:
    """All queries see the database as the first query saw it. Every method can raise Unavailable."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def row(self, query: str, *arguments: Any) -> Row:
        with _reading():
            return await self._connection.fetchrow(query, *arguments)

    async def rows(self, query: str, *arguments: Any) -> list[Row]:
        with _reading():
            return list(await self._connection.fetch(query, *arguments))

    async def stream(self, query: str, *arguments: Any) -> AsyncIterator[Row]:
        """Yields the rows of a server-side cursor, with at most PREFETCH rows in memory."""
        with _reading():
            async for row in self._connection.cursor(query, *arguments, prefetch=PREFETCH):
                yield row


@asynccontextmanager
async def snapshot(url: str) -> AsyncIterator[Snapshot]:
    """Opens a snapshot on the host that takes writes; a standby may lag behind. Raises Unavailable."""
    with _reading():
        connection = await Hosts(url).connect(timeout_s=CONNECT_TIMEOUT_S, server_settings=NAME)
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                await connection.execute(SETTINGS)
                yield Snapshot(connection)
            if not connection.takes_writes():
                raise Unavailable("the database moved to another host during the audit: run it again")
        finally:
            await connection.close()
