"""A pool for a server that gives fewer connections than the pool may open, or none."""

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
from kernel.adapters.postgres.connections.primary import Took, unmeasured
from kernel.adapters.system_clock import SystemClock
from kernel.application.trouble import Trouble

# For how long a server that is full is not asked for another connection.
FULL_S = 0.5
# One of several servers counts as lost after this time; a switchover takes less.
LOST_AFTER_S = 3.0
LOST_TRY_EVERY_S = 0.5


class PatientPool(AsyncAdaptedQueuePool):
    """When the server gives no more connections, a call waits until one comes back or the server gives one,
    as long as for a pool whose connections are all lent."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.trouble = Trouble("the database", SystemClock())
        self.took: Took = unmeasured
        self._full_until = 0.0
        self._away = False
        self.may_be_lost = False
        """Whether the service has other servers, whose work must not wait for this one."""
        self.is_unchecked = False
        """Whether the server was away when the service started, so that its lanes are not checked yet."""
        self.away_since: float | None = None
        self._try_at = 0.0
        event.listen(self, "connect", self._connected)

    @property
    def is_lost(self) -> bool:
        """Whether the server has been away for so long that calls are refused at once."""
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
        """Refuses callers of a lost server, but for one every LOST_TRY_EVERY_S: a silent server would keep
        each of them for seconds."""
        if self.is_lost:
            if self.is_unchecked or time.monotonic() < self._try_at:
                raise ConnectionError("it is away")
            self._try_at = time.monotonic() + LOST_TRY_EVERY_S

    def at_hand(self) -> PoolProxiedConnection | None:
        """A connection that lies unused, else None.

        The engine would make a greenlet to wait in, which costs more than all the rest of lending.
        """
        if self._pool.empty():
            return None
        try:
            return super().connect()
        except MissingGreenlet:  # That one has to be opened anew, for which the engine waits.
            return None

    def _do_get(self) -> ConnectionPoolEntry:
        while (full_s := self._full_until - time.monotonic()) > 0:
            try:
                record = self._pool.get(True, full_s)
            except Empty:
                break
            if record.dbapi_connection is not None:
                return record
            self._dec_overflow()  # It would need a new connection, which the server does not give.
        return super()._do_get()

    def note(self, error: Exception, *, connecting: bool = False) -> None:
        """Logs what the server refuses."""
        found = refusal(error, connecting=connecting)
        if found is not None:
            kind, words = found
            self._away = connecting or words.startswith("away")
            if connecting and words.startswith("away") and self.away_since is None:
                self.away_since = time.monotonic()
            self.trouble.report(kind, words)

    def _connected(self, *_: object) -> None:
        """Ends the trouble of a server that was away. One that was full may be full again at once."""
        self.away_since = None
        if self._away and time.monotonic() > self._full_until:
            self.trouble.over()


def pool_of(engine: AsyncEngine) -> PatientPool:
    return cast(PatientPool, engine.pool)


def pools_of(engines: Iterable[AsyncEngine]) -> list[PatientPool]:
    """One for each server."""
    return list(dict.fromkeys(map(pool_of, engines)))
