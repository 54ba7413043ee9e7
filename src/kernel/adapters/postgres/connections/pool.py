"""A pool for a server that gives fewer connections than the pool may open, or none."""

import time
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


class PatientPool(AsyncAdaptedQueuePool):
    """When the server gives no more connections, a call waits until one comes back or the server gives one,
    as long as for a pool whose connections are all lent."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.trouble = Trouble("the database", SystemClock())
        self.took: Took = unmeasured
        self._full_until = 0.0
        self._away = False
        event.listen(self, "connect", self._connected)

    def connect(self) -> PoolProxiedConnection:
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
            self.trouble.report(kind, words)

    def _connected(self, *_: object) -> None:
        """A server that was away is back. One that was full may be full again at once."""
        if self._away and time.monotonic() > self._full_until:
            self.trouble.over()


def pool_of(engine: AsyncEngine) -> PatientPool:
    return cast(PatientPool, engine.pool)
