"""Waits for locks in short attempts, so that the shop keeps working, and names the lock holders."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import asyncpg
from sqlalchemy.exc import DBAPIError

from kernel.adapters.postgres.connections.failures import cause_of
from kernel.domain.errors import ShopError

logger = logging.getLogger(__name__)

T = TypeVar("T")

# An attempt is much shorter than the services' lock_timeout, because calls queue behind a migrator that waits
# for a table. It is also shorter than the server's deadlock_timeout, so that in a deadlock the attempt fails
# and never a service's call.
TRY_MS = 200
PAUSE_S = 1.0
# The server ends an autovacuum for a session that has waited for deadlock_timeout, which is 1 s.
TRY_AGAINST_AUTOVACUUM_MS = 1200
LOOK_EVERY_S = 0.05
REPORT_EVERY_S = 5.0
_LOCKED = {"55P03", "40P01"}  # lock_not_available, deadlock_detected

# Columns about a session of another role may be null. An autovacuum has no role, and a prepared transaction
# has the pid 0. A migrator that waits for no table lock waits for a row lock or, in a CONCURRENTLY statement,
# for another transaction.
_WAITS_FOR = """
SELECT (SELECT coalesce(indrelid, relation)::regclass::text
        FROM pg_locks AS lock LEFT JOIN pg_index ON indexrelid = relation
        WHERE lock.pid = waiting.pid
            AND (locktype = 'tuple'
                OR locktype = 'relation' AND (NOT granted OR mode = 'ShareUpdateExclusiveLock'))
        ORDER BY granted
        LIMIT 1) AS relation,
    holder.pid, coalesce(activity.application_name, '') AS application, activity.xact_start AS since,
    activity.pid IS NOT NULL AND activity.usesysid IS NULL AS autovacuum
FROM pg_stat_activity AS waiting
CROSS JOIN unnest(pg_blocking_pids(waiting.pid)) AS holder (pid)
LEFT JOIN pg_stat_activity AS activity ON activity.pid = holder.pid
WHERE waiting.pid = $1 AND waiting.wait_event_type = 'Lock'
ORDER BY activity.xact_start
LIMIT 1
"""


class LockNotGiven(ShopError):
    """A migration did not get a lock in time, because other sessions held it."""

    def __init__(self, detail: str) -> None:
        super().__init__("lock_not_given", detail)


@dataclass(frozen=True)
class Holder:
    """A session that holds a lock for which the migrator waits."""

    relation: str | None
    pid: int
    application: str
    since: datetime | None
    autovacuum: bool

    def __str__(self) -> str:
        name = "autovacuum" if self.autovacuum else self.application or "no application name"
        if not self.pid:
            return "a prepared transaction (see pg_prepared_xacts)"
        since = f"{self.since:%Y-%m-%d %H:%M:%S %Z}" if self.since else "a time that only pg_monitor may see"
        return f"pid {self.pid} ({name}), in a transaction since {since}"


class Patience:
    """Repeats work that fails to get a lock, for up to `within_s`. Then raises LockNotGiven."""

    def __init__(
        self, service: str, driver: asyncpg.Connection, beside: asyncpg.Connection, within_s: float
    ) -> None:
        """`driver` does the work. `beside` is a second connection, which observes what `driver` waits for."""
        self.driver = driver
        self.service = service
        self._beside = beside
        self._within_s = within_s
        self._holder: Holder | None = None
        self._reported_at = time.monotonic()

    async def look(self) -> None:
        """Records which session holds the lock that `driver` waits for, every LOOK_EVERY_S. Never returns."""
        pid = self.driver.get_server_pid()
        while True:
            if row := await self._beside.fetchrow(_WAITS_FOR, pid):
                self._holder = Holder(**row)
                self.report(f"waits for {self._waited_for}, held by {self._holder}")
            await asyncio.sleep(LOOK_EVERY_S)

    async def patiently(self, work: Callable[[], Awaitable[T]]) -> T:
        """Repeats `work` until it gets its locks. It must be safe to repeat. Raises LockNotGiven."""
        deadline = time.monotonic() + self._within_s
        self._holder, asked_autovacuum = None, False
        await self._set_lock_timeout(TRY_MS)
        while True:
            try:
                return await work()
            except (asyncpg.PostgresError, DBAPIError) as error:
                if getattr(cause_of(error), "sqlstate", None) not in _LOCKED:
                    raise
                if time.monotonic() + PAUSE_S > deadline:
                    raise LockNotGiven(self._who) from error
            await asyncio.sleep(PAUSE_S)
            # Waits for an autovacuum to end only once, because one that prevents a wraparound does not end.
            ask = self._meets_autovacuum and not asked_autovacuum
            asked_autovacuum |= ask
            await self._set_lock_timeout(TRY_AGAINST_AUTOVACUUM_MS if ask else TRY_MS)

    async def concurrently(self, statement: str) -> None:
        """Runs a CONCURRENTLY statement. No call queues behind it, so it may wait long for its locks."""
        await self._set_lock_timeout(max(TRY_MS, int(self._within_s * 1000)))
        await self.driver.execute(statement)

    def report(self, progress: str) -> None:
        """Logs the progress, at most once every REPORT_EVERY_S."""
        if time.monotonic() - self._reported_at >= REPORT_EVERY_S:
            self._reported_at = time.monotonic()
            logger.info("the migration of %s %s", self.service, progress)

    async def _set_lock_timeout(self, ms: int) -> None:
        await self.driver.execute(f"SET lock_timeout = {ms}")

    @property
    def _meets_autovacuum(self) -> bool:
        return self._holder is not None and self._holder.autovacuum

    @property
    def _waited_for(self) -> str:
        relation = self._holder.relation if self._holder else None
        return f"table {relation}" if relation else "a lock"

    @property
    def _who(self) -> str:
        return (
            f"the migration of the {self.service} database did not get {self._waited_for} within"
            f" {self._within_s:g} s (SHOP_MIGRATE_LOCK_WITHIN): it is held by"
            f" {self._holder or 'a session that could not be seen'};"
            f" when it is free, run `shop migrate {self.service}` again"
        )
