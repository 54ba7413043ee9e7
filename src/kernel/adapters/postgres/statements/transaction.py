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
        """The rows of a statement, which sees what was written to its tables before it."""
        await self._begin()
        if any(write.table in _tables(statement) for write in self._waiting):
            await self.flush()
        return await driver.execute(self._connection, statement, parameters)

    async def look(
        self, statement: ClauseElement, parameters: Mapping[str, Any] = _NONE
    ) -> list[asyncpg.Record]:
        """The rows of a statement that locks nothing, so that it needs no BEGIN and COMMIT by itself: to a
        poll that finds nothing they cost twice what it asks."""
        if self.begun or self._waiting:
            return await self.execute(statement, parameters)
        return await driver.execute(self._connection, statement, parameters)

    async def write(self, statement: Write, parameters: Mapping[str, Any]) -> None:
        """Several writes travel together, and fail together, when a statement reads one of their tables, or
        `flush` sends them.

        At most one waits per table: PostgreSQL does not define the order of data-modifying CTEs (manual,
        7.8.4).
        """
        if any(statement.table is other.table for other in self._waiting):
            await self._begin()
            await self.flush()
        self._waiting[statement] = parameters

    async def flush(self) -> None:
        if self._waiting:
            await driver.execute(self._connection, *self._take_waiting())

    async def prepare(self) -> None:
        """Has to come before `commit`. If it fails, nothing was committed."""
        if self.begun:
            await self.flush()
        self._connection.require_primary()

    async def commit(self) -> None:
        """Sends COMMIT, or without a BEGIN all writes as one statement, which commits by itself."""
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
                # It may still begin, which the connection would not know, nor whoever is lent it next.
                self._connection.terminate()
                raise


@lru_cache(maxsize=256)
def _tables(statement: ClauseElement) -> Set[TableClause]:
    return {part for part in iterate(statement) if isinstance(part, TableClause)}


@lru_cache(maxsize=64)
def _joined(writes: tuple[Write, ...]) -> Write:
    """One statement of several."""
    *earlier, last = writes
    return last.add_cte(*(write.cte(f"write_{number}") for number, write in enumerate(earlier)))
