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
    """The transaction starts at the first read. Writes without a read are sent as one statement, which is
    atomic by itself.

    Methods raise what the driver raises.
    """

    def __init__(self, connection: PrimaryConnection) -> None:
        self.begun = False
        self._connection = connection
        self._waiting: dict[Write, Mapping[str, Any]] = {}

    async def execute(
        self, statement: ClauseElement, parameters: Mapping[str, Any] = _NONE
    ) -> list[asyncpg.Record]:
        """The rows of a statement. It sees the earlier writes to its tables."""
        await self._begin()
        if any(write.table in _tables(statement) for write in self._waiting):
            await self.flush()
        return await driver.execute(self._connection, statement, parameters)

    async def look(
        self, statement: ClauseElement, parameters: Mapping[str, Any] = _NONE
    ) -> list[asyncpg.Record]:
        """The rows of a statement that locks nothing. If nothing else was done, it runs without BEGIN and
        COMMIT, which would triple the round trips of a poll that finds nothing."""
        if self.begun or self._waiting:
            return await self.execute(statement, parameters)
        return await driver.execute(self._connection, statement, parameters)

    async def write(self, statement: Write, parameters: Mapping[str, Any]) -> None:
        """Keeps the write back. All waiting writes are sent as one statement, by `flush` or `commit`, or
        before a statement that reads one of their tables.

        At most one write per table waits, because PostgreSQL does not define the order of data-modifying CTEs
        (manual, 7.8.4).
        """
        if any(statement.table is other.table for other in self._waiting):
            await self._begin()
            await self.flush()
        self._waiting[statement] = parameters

    async def flush(self) -> None:
        if self._waiting:
            await driver.execute(self._connection, *self._take_waiting())

    async def prepare(self) -> None:
        """Has to be called before `commit`. If it fails, nothing was committed."""
        if self.begun:
            await self.flush()
        self._connection.require_primary()

    async def commit(self) -> None:
        """Sends COMMIT; or if there was no BEGIN, all writes as one statement, which commits by itself."""
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
                # The transaction may still begin, and the next user of the connection would not know.
                self._connection.terminate()
                raise


@lru_cache(maxsize=256)
def _tables(statement: ClauseElement) -> Set[TableClause]:
    return {part for part in iterate(statement) if isinstance(part, TableClause)}


@lru_cache(maxsize=64)
def _joined(writes: tuple[Write, ...]) -> Write:
    """One statement that does all the writes."""
    *earlier, last = writes
    return last.add_cte(*(write.cte(f"write_{number}") for number, write in enumerate(earlier)))
