"""Connections to the primary that notice when their server stops taking writes."""

from collections.abc import Callable
from weakref import WeakSet

import asyncpg

from kernel.adapters.postgres.connections.urls import HostUrl

Measure = Callable[[str, float, str], None]
"""A function that gets a statement's first word, its duration in seconds, and its exception's name or ""."""


def unmeasured(_operation: str, _seconds: float, _error: str) -> None:
    pass


class Primary:
    """A host that took writes when it was found. It is retired once it is known to take no more."""

    def __init__(self, host: HostUrl) -> None:
        self.host = host
        self.retired = False
        self.measure: Measure = unmeasured
        # The connections in the pool. Nothing reads from them, so they do not notice a read-only host.
        self.idle: WeakSet[PrimaryConnection] = WeakSet()

    def retire(self) -> None:
        """Closes the idle connections now. A connection in use is closed when it is returned to the pool."""
        self.retired = True
        for connection in list(self.idle):
            connection.terminate()


class PrimaryConnection(asyncpg.Connection):  # type: ignore[misc]  # the library is not typed
    """A connection that knows whether its server takes writes. Since PostgreSQL 14, each answer reports when
    a server becomes read-only: by `default_transaction_read_only`, or `in_hot_standby` on a standby."""

    __slots__ = ("answered", "primary", "schema")
    primary: Primary
    schema: str | None
    """The schema that statements name while the connection is lent; None for the session's default schema."""
    answered: bool | None
    """Whether the server answered the last statement in time. None if no statement ran since the connection
    was lent, or if the last one failed for a reason other than a timeout."""

    def takes_writes(self) -> bool:
        """Returns False once this or another connection has learned that the host is read-only."""
        settings = self.get_settings()
        if "on" in (
            getattr(settings, "default_transaction_read_only", "off"),
            getattr(settings, "in_hot_standby", "off"),
        ):
            self.primary.retire()
        return not self.primary.retired

    def require_primary(self) -> None:
        """Raises the driver's error if the connection is closed, or if its server no longer takes writes.

        If this fails after a read, the rows may be out of date. If it fails before a write, nothing was sent.
        """
        if self.is_closed():
            raise asyncpg.InterfaceError("the connection is closed")
        if not self.takes_writes():
            raise asyncpg.ReadOnlySQLTransactionError("the server does not take writes any more")
