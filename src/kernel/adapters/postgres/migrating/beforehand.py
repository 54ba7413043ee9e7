"""Changes of big tables that run before the transaction of a migration. They block no table, and lock rows
only for fractions of a second.

The module of a migration lists its changes in `beforehand`. If a migrator is killed, the next one starts
again with the first change, so every change can be repeated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import asyncpg

from kernel.adapters.postgres.migrating.patience import Patience

# A batch of this size locks its rows for some hundredths of a second.
BATCH_ROWS = 5000

Key = Sequence[object]
"""The values of a row's key columns; empty before the first batch."""


class Beforehand(Protocol):
    async def run(self, patience: Patience) -> None:
        """Makes the change. It must be called outside of any transaction."""


@dataclass(frozen=True)
class Index:
    """Builds an index CONCURRENTLY. If a killed migrator left the index invalid, it is dropped first."""

    name: str
    table: str
    columns: str
    """The rest of the CREATE INDEX statement after the table's name, like `(status, id) WHERE …`."""
    unique: bool = False

    async def run(self, patience: Patience) -> None:
        await patience.patiently(partial(self._build, patience))

    async def _build(self, patience: Patience) -> None:
        valid = await patience.driver.fetchval(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)", self.name
        )
        if valid:
            return
        if valid is not None:
            await patience.concurrently(f"DROP INDEX CONCURRENTLY {self.name}")
        unique = "UNIQUE " if self.unique else ""
        await patience.concurrently(
            f"CREATE {unique}INDEX CONCURRENTLY {self.name} ON {self.table} {self.columns}"
        )


@dataclass(frozen=True)
class DropIndex:
    """Drops an index CONCURRENTLY, if the index exists."""

    name: str

    async def run(self, patience: Patience) -> None:
        drop = f"DROP INDEX CONCURRENTLY IF EXISTS {self.name}"
        await patience.patiently(partial(patience.concurrently, drop))


@dataclass(frozen=True)
class InBatches:
    """Changes many rows, BATCH_ROWS per transaction, in the order of a unique key.

    The key of a row must never change, or the row could be left out.
    """

    table: str
    key: str
    """The columns of the key, separated by commas."""
    change: str
    """`DELETE FROM table` or `UPDATE table SET …`, without its WHERE."""
    where: str
    """The condition for the rows that still have to be changed."""

    async def run(self, patience: Patience) -> None:
        done = 0
        after: Key = ()
        while batch := await patience.patiently(partial(self._change, patience.driver, after)):
            *after, changed = batch
            done += changed
            patience.report(f"changed {done} rows of table {self.table}")

    async def _change(self, driver: asyncpg.Connection, after: Key) -> asyncpg.Record | None:
        """Changes the next batch, whose keys are greater than `after`. Returns the key of its last row and
        the number of changed rows; None if no rows are left.

        OFFSET 0 makes PostgreSQL read the rows in the order of the key. Otherwise it may search by `where`,
        and each batch would read again the rows that earlier batches have deleted.
        """
        numbers = ", ".join(f"${number}" for number in range(1, len(after) + 1))
        follows = f"WHERE ({self.key}) > ({numbers})" if after else ""
        return await driver.fetchrow(
            f"""
            WITH batch AS MATERIALIZED (
                SELECT {self.key}
                FROM (SELECT * FROM {self.table} {follows} ORDER BY {self.key} OFFSET 0) AS following
                WHERE {self.where}
                LIMIT {BATCH_ROWS}
            ), changed AS (
                {self.change} WHERE ({self.key}) IN (TABLE batch) AND ({self.where}) RETURNING 1
            )
            SELECT {self.key}, (SELECT count(*) FROM changed) FROM batch ORDER BY ({self.key}) DESC LIMIT 1
            """,
            *after,
        )
