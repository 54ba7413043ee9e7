"""Which sessions hold locks that a service needs.

A service gives up a lock after a second (`lock_timeout`) and tries again later, so that it seldom waits just
when somebody looks. What lasts is the other transaction, and its locks.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.connections.lanes import schema_of
from kernel.adapters.postgres.statements.reading import read
from kernel.domain.value import value

# Longer than the transactions of a service wait for a lock.
LASTING = timedelta(seconds=2)

# A lock of a row is not in pg_locks; but who locks rows has a transaction id, and a lock of the table that
# goes with it (PostgreSQL manual, 13.3). Behind who only waits for a table all others queue. A prepared
# transaction has no session, and the pid 0.
_HOLDERS = text("""
WITH own AS (
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database()
        AND application_name = coalesce(:session_name, current_setting('application_name'))
), held AS (
    SELECT coalesce(lock.pid, 0) AS pid, lock.virtualtransaction AS transaction,
        string_agg(DISTINCT lock.mode || ' on ' || relname, ', ') FILTER (WHERE whole AND granted) AS tables,
        string_agg(DISTINCT lock.mode || ' on ' || relname, ', ')
            FILTER (WHERE whole AND NOT granted) AS asked,
        string_agg(DISTINCT relname, ', ') FILTER (WHERE NOT whole) AS rows
    FROM pg_locks AS lock
    JOIN pg_class ON pg_class.oid = lock.relation
    CROSS JOIN LATERAL (SELECT mode IN
        ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock') AS whole) AS _
    WHERE lock.locktype = 'relation'
        AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND relnamespace = CAST(coalesce(:schema, current_schema()) AS regnamespace)
        AND relname = ANY (CAST(:tables AS text[]))
        AND (whole OR granted AND mode IN ('RowShareLock', 'RowExclusiveLock') AND EXISTS (
            SELECT FROM pg_locks AS its
            WHERE its.virtualtransaction = lock.virtualtransaction AND its.locktype = 'transactionid'
                AND its.mode = 'ExclusiveLock' AND its.granted
        ))
    GROUP BY 1, 2
), waited_for AS (
    SELECT DISTINCT holder.pid FROM own
    CROSS JOIN unnest(CASE WHEN EXISTS (
        SELECT FROM pg_locks WHERE pg_locks.pid = own.pid AND NOT granted
    ) THEN pg_blocking_pids(own.pid) END) AS holder (pid)
)
SELECT now() AS at, pid, transaction, tables, asked, rows, waited_for.pid IS NOT NULL AS waited_for,
    own.pid IS NOT NULL AS is_own, application_name AS name, usename AS user, state, xact_start AS since
FROM held
FULL JOIN waited_for USING (pid)
LEFT JOIN pg_stat_activity USING (pid)
LEFT JOIN own USING (pid)
ORDER BY xact_start, pid
""")


@value(kw_only=True)
class Holder:
    pid: int
    name: str
    user: str
    state: str | None
    since: datetime | None
    """Of its transaction. This and the state are None where the role that asks may not see them."""
    seen_at: datetime
    tables: str | None
    asked: str | None
    rows: str | None
    waited_for: bool

    def __str__(self) -> str:
        return f"{self._who}{self._in_what} {self._does}"

    @property
    def _who(self) -> str:
        if not self.pid:
            return "a prepared transaction (pg_prepared_xacts)"
        return f"the session with pid {self.pid} ({self.name or 'no name'}, user {self.user})"

    @property
    def _in_what(self) -> str:
        if self.since:
            return f", {self.state}, in a transaction since {self.since:%Y-%m-%d %H:%M:%SZ},"
        return ", whose state only members of pg_read_all_stats may see," if self.pid else ""

    @property
    def _does(self) -> str:
        held = [
            *([f"holds {self.tables}"] if self.tables else []),
            *([f"waits for {self.asked}, and others wait behind it"] if self.asked else []),
            *([f"holds locks of rows of {self.rows}"] if self.rows else []),
            *(["holds what a statement waits for right now"] if self.waited_for else []),
        ]
        return "; ".join(held)


class Holders:
    def __init__(self, engine: AsyncEngine, tables: Sequence[str], session_name: str | None) -> None:
        """`tables` are those that the service needs. `session_name` is what its sessions are called. None:
        `engine` is the service's own."""
        self._engine = engine
        self._given = {"tables": list(tables), "schema": schema_of(engine), "session_name": session_name}

    async def find(self) -> list[Holder]:
        """Those that hold for long what the service needs, or that it waits for now; takes up to LASTING.
        Raises Unavailable."""
        rows = [row for row in await self._look() if not _publishes(row)]
        found = [row for row in rows if _lasts(row) or (row["waited_for"] and not row["is_own"])]
        unsure = {_place(row) for row in rows if row["since"] is None and row not in found}
        if unsure:
            # Its age is hidden, so it is seen twice.
            await asyncio.sleep(LASTING.total_seconds())
            found += [row for row in await self._look() if _place(row) in unsure]
        return [_holder(row) for row in found]

    async def _look(self) -> list[Any]:
        return await read(self._engine, _HOLDERS, self._given)


def _publishes(row: Any) -> bool:
    """A relay holds rows of the outbox for as long as it waits for their confirmation; others skip them."""
    holds_only_those = row["rows"] == "outbox" and not (row["tables"] or row["asked"] or row["waited_for"])
    return row["is_own"] and holds_only_those


def _lasts(row: Any) -> bool:
    return row["since"] is not None and row["at"] - row["since"] >= LASTING


def _place(row: Any) -> tuple[int, str | None]:
    return row["pid"], row["transaction"]


def _holder(row: Any) -> Holder:
    return Holder(
        pid=row["pid"],
        name=row["name"] or "",
        user=row["user"] or "",
        state=row["state"],
        since=row["since"],
        seen_at=row["at"],
        tables=row["tables"],
        asked=row["asked"],
        rows=row["rows"],
        waited_for=row["waited_for"],
    )
