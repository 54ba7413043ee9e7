"""Finds the transactions that hold locks that a service needs.

A service waits for a lock only for one second (`lock_timeout`) and tries again later, so it seldom waits at
the moment of this query. Therefore the query looks for the transactions that hold the locks.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.connections.lanes import schema_of
from kernel.adapters.postgres.statements.reading import read
from kernel.domain.value import value

# This is longer than a transaction of a service waits for a lock.
LASTING = timedelta(seconds=2)

# Row locks are not in pg_locks. But a transaction that locks rows has a transaction id, and a certain lock on
# their table (PostgreSQL manual, 13.3). A session that waits for a table lock blocks all sessions that queue
# behind it. A prepared transaction has no session; its pid is 0 here.
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
    """A transaction that holds locks that the service needs: one row of `_HOLDERS`."""

    at: datetime
    """The time at which the query saw the transaction."""
    pid: int
    transaction: str | None
    tables: str | None
    asked: str | None
    rows: str | None
    waited_for: bool
    is_own: bool
    name: str | None
    user: str | None
    state: str | None
    since: datetime | None
    """The start of the transaction. `state` and `since` are None if the querying role may not see them."""

    def __str__(self) -> str:
        return f"{self._who}{self._in_what} {self._does}"

    @property
    def publishes(self) -> bool:
        """Whether the transaction is a relay's, which locks outbox rows until the bus confirms them. Its
        locks are harmless, because other relays skip those rows."""
        return self.is_own and self.rows == "outbox" and not (self.tables or self.asked or self.waited_for)

    @property
    def lasts(self) -> bool:
        return self.since is not None and self.at - self.since >= LASTING

    @property
    def place(self) -> tuple[int, str | None]:
        """The pid and the virtual transaction id, which identify the transaction."""
        return self.pid, self.transaction

    @property
    def _who(self) -> str:
        if not self.pid:
            return "a prepared transaction (pg_prepared_xacts)"
        return f"the session with pid {self.pid} ({self.name or 'no name'}, user {self.user or ''})"

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
            *(["holds a lock that a statement waits for right now"] if self.waited_for else []),
        ]
        return "; ".join(held)


class Holders:
    def __init__(self, engine: AsyncEngine, tables: Sequence[str], session_name: str | None) -> None:
        """`tables` are the tables that the service needs. `session_name` is the application_name of the
        service's sessions; None if `engine` belongs to the service itself."""
        self._engine = engine
        self._given = {"tables": list(tables), "schema": schema_of(engine), "session_name": session_name}

    async def find(self) -> list[Holder]:
        """Returns transactions that hold a needed lock and have lasted for LASTING, or hold a lock that the
        service waits for now. Takes LASTING if the age of a transaction is hidden. Raises Unavailable."""
        seen = [one for one in await self._look() if not one.publishes]
        found = [one for one in seen if one.lasts or (one.waited_for and not one.is_own)]
        unsure = {one.place for one in seen if one.since is None and one not in found}
        if unsure:
            # The age of these transactions is hidden, so a second query tells which of them last.
            await asyncio.sleep(LASTING.total_seconds())
            found += [one for one in await self._look() if one.place in unsure]
        return found

    async def _look(self) -> list[Holder]:
        return [Holder(**row) for row in await read(self._engine, _HOLDERS, self._given)]
