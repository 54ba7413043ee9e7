"""Connections to the primary, which notice when their server stops taking writes."""

from collections.abc import Callable
from weakref import WeakSet

import asyncpg

from kernel.adapters.postgres.connections.urls import HostUrl

Measure = Callable[[str, float, str], None]
"""Receives the first word of a statement, its seconds, and the name of its exception; empty if none."""


def unmeasured(_operation: str, _seconds: float, _error: str) -> None:
    pass


class Primary:
    """A host that takes writes. It is retired when it is known to take no more."""

    def __init__(self, host: HostUrl) -> None:
        self.host = host
        self.retired = False
        self.measure: Measure = unmeasured
        # Connections in the pool. Nobody reads from them, so they do not notice that the host is read-only.
        self.idle: WeakSet[PrimaryConnection] = WeakSet()

    def retire(self) -> None:
        """Closes idle connections now. Those in use are closed when they are returned."""
        self.retired = True
        for connection in list(self.idle):
            connection.terminate()


class PrimaryConnection(asyncpg.Connection):  # type: ignore[misc]  # the library is not typed
    """Knows whether its server takes writes. Since PostgreSQL 14, each answer reports when a server becomes
    read-only: a former primary sets `default_transaction_read_only`, a standby is `in_hot_standby`."""

    __slots__ = ("answered", "primary", "schema")
    primary: Primary
    schema: str | None
    """The schema that statements name while the connection is in use; None for the session's default."""
    answered: bool | None
    """Whether the server answered the last statement in time; None if there was none since the connection
    was lent, or if it failed otherwise."""

    def takes_writes(self) -> bool:
        """False if this or another connection was told that the host is read-only."""
        settings = self.get_settings()
        if "on" in (
            getattr(settings, "default_transaction_read_only", "off"),
            getattr(settings, "in_hot_standby", "off"),
        ):
            self.primary.retire()
        return not self.primary.retired

    def require_primary(self) -> None:
        """Raises an error if the connection is closed, or the server no longer takes writes.

        After a read this means that the rows may be out of date. Before a write, nothing was sent or done.
        """
        if self.is_closed():
            raise asyncpg.InterfaceError("the connection is closed")
        if not self.takes_writes():
            raise asyncpg.ReadOnlySQLTransactionError("the server does not take writes any more")
