from collections.abc import Mapping, Set
from functools import lru_cache
from typing import Any

import asyncpg
from sqlalchemy import ClauseElement, Delete, Insert, TableClause, Update
from sqlalchemy.sql.visitors import iterate

from kernel.adapters.postgres.connections.primary import PrimaryConnection
from kernel.adapters.postgres.statements import driver

Write = Insert | Update | Delete
_NONE: Mapping[str, Any] = {}


class Transaction:
    """A transaction that sends BEGIN at its first `execute`. Writes alone are sent as one statement, which is
    atomic by itself.

    The methods raise the driver's errors.
    """

    def __init__(self, connection: PrimaryConnection) -> None:
        self.begun = False
        self._connection = connection
        self._waiting: dict[Write, Mapping[str, Any]] = {}

    async def execute(
        self, statement: ClauseElement, parameters: Mapping[str, Any] = _NONE
    ) -> list[asyncpg.Record]:
        """Runs a statement and returns its rows. The statement sees the earlier writes to its tables."""
        await self._begin()
        if any(write.table in _tables(statement) for write in self._waiting):
            await self.flush()
        return await driver.execute(self._connection, statement, parameters)

    async def look(
        self, statement: ClauseElement, parameters: Mapping[str, Any] = _NONE
    ) -> list[asyncpg.Record]:
        """Runs a statement that locks no rows, and returns its rows. Without a begun transaction or queued
        writes, it runs without BEGIN and COMMIT, which would triple the round trips of a relay's poll."""
        if self.begun or self._waiting:
            return await self.execute(statement, parameters)
        return await driver.execute(self._connection, statement, parameters)

    async def write(self, statement: Write, parameters: Mapping[str, Any]) -> None:
        """Queues the write. All queued writes are sent together as one statement: by `flush`, by `commit`, or
        before a statement that reads one of their tables.

        At most one write per table is queued, because PostgreSQL does not define the order of data-modifying
        CTEs (manual, 7.8.4).
        """
        if any(statement.table is other.table for other in self._waiting):
            await self._begin()
            await self.flush()
        self._waiting[statement] = parameters

    async def flush(self) -> None:
        if self._waiting:
            await driver.execute(self._connection, *self._take_waiting())

    async def prepare(self) -> None:
        """Checks that `commit` can begin; must be called before it. If this fails, nothing was committed."""
        if self.begun:
            await self.flush()
        self._connection.require_primary()

    async def commit(self) -> None:
        """Sends COMMIT. If there was no BEGIN, sends all writes as one statement, which commits by itself."""
        if self.begun:
            await driver.command(self._connection, "COMMIT")
        elif self._waiting:
            await driver.write(self._connection, *self._take_waiting())

    async def roll_back(self) -> None:
        await self._connection.execute("ROLLBACK")

    def _take_waiting(self) -> tuple[Write, Mapping[str, Any]]:
        waiting, self._waiting = self._waiting, {}
        parameters = {name: value for given in waiting.values() for name, value in given.items()}
        if len(parameters) < sum(map(len, waiting.values())):
            raise RuntimeError("two parameters have one name")
        return _joined(tuple(waiting)), parameters

    async def _begin(self) -> None:
        if not self.begun:
            self.begun = True
            try:
                await driver.command(self._connection, "BEGIN")
            except BaseException:
                # The server may still begin a transaction, which the connection's next user would not know.
                self._connection.terminate()
                raise


@lru_cache(maxsize=256)
def _tables(statement: ClauseElement) -> Set[TableClause]:
    return {part for part in iterate(statement) if isinstance(part, TableClause)}


@lru_cache(maxsize=64)
def _joined(writes: tuple[Write, ...]) -> Write:
    """Joins the writes into one statement: the last write, with the earlier ones as CTEs."""
    *earlier, last = writes
    return last.add_cte(*(write.cte(f"write_{number}") for number, write in enumerate(earlier)))
