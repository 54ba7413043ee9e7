"""A connection pool that copes with a server that gives too few connections, or none."""

import time
from collections.abc import Iterable
from typing import Any, cast

import asyncpg
from sqlalchemy import AsyncAdaptedQueuePool, PoolProxiedConnection, event
from sqlalchemy.exc import MissingGreenlet
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.util.queue import Empty

from kernel.adapters.postgres.connections.failures import cause_of, refusal
from kernel.adapters.postgres.connections.primary import Measure, unmeasured
from kernel.adapters.system_clock import SystemClock
from kernel.application.trouble import Trouble

# For how long a server without free connections is not asked for another one.
FULL_S = 0.5
# After this time without an answer, one of several servers counts as lost. A switchover takes less.
LOST_AFTER_S = 3.0
LOST_TRY_EVERY_S = 0.5


class PatientPool(AsyncAdaptedQueuePool):
    """When the server refuses more connections, a call waits until one is returned to the pool or the server
    gives one. It waits at most as long as for a pool whose connections are all in use."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.trouble = Trouble("the database", SystemClock())
        self.measure: Measure = unmeasured
        self._full_until = 0.0
        self._away = False
        self.may_be_lost = False
        """Whether the service has other servers too, whose work must not wait for this one."""
        self.is_unchecked = False
        """Whether the server was unreachable at the start of the service, so that its lanes are unchecked."""
        self.away_since: float | None = None
        self._try_at = 0.0
        event.listen(self, "connect", self._connected)

    @property
    def is_lost(self) -> bool:
        """Whether the server has been unreachable for so long that calls are refused at once."""
        if self.is_unchecked:
            return True
        since = self.away_since
        return self.may_be_lost and since is not None and time.monotonic() > since + LOST_AFTER_S

    def connect(self) -> PoolProxiedConnection:
        self._require_chance()
        deadline = time.monotonic() + self._timeout
        while True:
            try:
                return super().connect()
            except Exception as error:
                self.note(error, connecting=True)
                if not isinstance(cause_of(error), asyncpg.TooManyConnectionsError):
                    raise
                self._full_until = time.monotonic() + FULL_S
                if self._full_until > deadline:
                    raise

    def _require_chance(self) -> None:
        """Raises ConnectionError at once if the server is lost, because each caller would wait seconds for
        it. One caller every LOST_TRY_EVERY_S may connect, to find out whether it is back."""
        if self.is_lost:
            if self.is_unchecked or time.monotonic() < self._try_at:
                raise ConnectionError("it is away")
            self._try_at = time.monotonic() + LOST_TRY_EVERY_S

    def at_hand(self) -> PoolProxiedConnection | None:
        """An idle connection of the pool, else None.

        This does not need the greenlet in which the engine waits, which costs more than the rest of the call.
        """
        if self._pool.empty():
            return None
        try:
            return super().connect()
        except MissingGreenlet:  # The connection has to be opened again, for which only the engine can wait.
            return None

    def _do_get(self) -> ConnectionPoolEntry:
        while (full_s := self._full_until - time.monotonic()) > 0:
            try:
                record = self._pool.get(True, full_s)
            except Empty:
                break
            if record.dbapi_connection is not None:
                return record
            self._dec_overflow()  # This entry needs a new connection, which the server does not give.
        return super()._do_get()

    def note(self, error: Exception, *, connecting: bool = False, silent: bool = False) -> None:
        """Logs the error, if other calls would meet it too. `silent`: the server did not answer a statement
        within COMMAND_TIMEOUT_S, which only a server that is away does."""
        if silent and self.away_since is None:
            self.away_since = time.monotonic() - LOST_AFTER_S
        found = refusal(error, connecting=connecting)
        if found is not None:
            kind, words = found
            self._away = connecting or words.startswith("away")
            if connecting and words.startswith("away") and self.away_since is None:
                self.away_since = time.monotonic()
            self.trouble.report(kind, words)

    def _connected(self, *_: object) -> None:
        """Ends the trouble of an unreachable server, not of a full one, which may soon be full again."""
        self.away_since = None
        if self._away and time.monotonic() > self._full_until:
            self.trouble.over()


def pool_of(engine: AsyncEngine) -> PatientPool:
    return cast(PatientPool, engine.pool)


def pools_of(engines: Iterable[AsyncEngine]) -> list[PatientPool]:
    """The pools of the engines, one for each server."""
    return list(dict.fromkeys(map(pool_of, engines)))
