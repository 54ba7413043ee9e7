"""A connection pool for a server that may refuse further connections, or be unreachable."""

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

# After the server refused a connection because it has too many, the pool asks for none for this time.
FULL_S = 0.5
# One of several servers counts as lost if it is unreachable for this time. A switchover takes less.
LOST_AFTER_S = 3.0
LOST_TRY_EVERY_S = 0.5


class PatientPool(AsyncAdaptedQueuePool):
    """A pool for a server that may refuse more connections. A call then waits until a connection is returned
    or the server gives one, at most as long as if all connections of the pool were in use."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.trouble = Trouble("the database", SystemClock())
        self.measure: Measure = unmeasured
        self._full_until = 0.0
        self._away = False
        self.may_be_lost = False
        """Whether the service has other servers, whose work must not wait for this server."""
        self.is_unchecked = False
        """Whether the server was unreachable when the service started, so that its lanes are unchecked."""
        self.away_since: float | None = None
        self._try_at = 0.0
        event.listen(self, "connect", self._connected)

    @property
    def is_lost(self) -> bool:
        """Whether calls are refused at once: the server is unchecked, or has been unreachable for long."""
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
        """Raises ConnectionError if the server is lost, because each caller would wait seconds for it. Every
        LOST_TRY_EVERY_S, one caller may connect to a checked server, to find out whether it is back."""
        if self.is_lost:
            if self.is_unchecked or time.monotonic() < self._try_at:
                raise ConnectionError("it is away")
            self._try_at = time.monotonic() + LOST_TRY_EVERY_S

    def at_hand(self) -> PoolProxiedConnection | None:
        """Returns an idle connection of the pool; None if there is none.

        This call never waits, so it needs no greenlet, which would cost more than the rest of the call.
        """
        if self._pool.empty():
            return None
        try:
            return super().connect()
        except MissingGreenlet:  # The connection must be opened again; only the engine can wait.
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
        """Logs the error if other calls would meet it too. `silent` means that the server did not answer a
        statement within COMMAND_TIMEOUT_S; such a server counts as away."""
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
        """Ends the trouble of an unreachable server. A full server's trouble stays: it may be full again
        soon."""
        self.away_since = None
        if self._away and time.monotonic() > self._full_until:
            self.trouble.over()


def pool_of(engine: AsyncEngine) -> PatientPool:
    return cast(PatientPool, engine.pool)


def pools_of(engines: Iterable[AsyncEngine]) -> list[PatientPool]:
    """Returns the pools of the engines, each pool once. There is one pool per server."""
    return list(dict.fromkeys(map(pool_of, engines)))
