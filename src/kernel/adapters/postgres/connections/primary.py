"""Connections to a server that takes writes, for as long as it does."""

from collections.abc import Callable
from weakref import WeakSet

import asyncpg

from kernel.adapters.postgres.connections.urls import HostUrl

Took = Callable[[str, float, str], None]
"""Is told the first word of a statement, how many seconds it took, and what it raised, if it did."""


def unmeasured(_operation: str, _seconds: float, _error: str) -> None:
    pass


class Primary:
    """A host that takes writes, until it is known that it no longer does."""

    def __init__(self, host: HostUrl) -> None:
        self.host = host
        self.retired = False
        self.took: Took = unmeasured
        # Connections in the pool: nothing is read from them, so they report nothing.
        self.idle: WeakSet[PrimaryConnection] = WeakSet()

    def retire(self) -> None:
        """Closes idle connections now, and lent ones when they come back; new ones look for the primary."""
        self.retired = True
        for connection in list(self.idle):
            connection.terminate()


class PrimaryConnection(asyncpg.Connection):  # type: ignore[misc]  # the library is not typed
    """Since PostgreSQL 14 a server reports with each answer whether it has become read-only: a primary that
    was switched over sets `default_transaction_read_only`, a standby is `in_hot_standby`."""

    __slots__ = ("primary", "schema")
    primary: Primary
    schema: str | None
    """The schema that statements name while this is lent; None: the default one of the session."""

    def takes_writes(self) -> bool:
        """Whether no connection to this host has been told that the host is read-only."""
        settings = self.get_settings()
        if "on" in (
            getattr(settings, "default_transaction_read_only", "off"),
            getattr(settings, "in_hot_standby", "off"),
        ):
            self.primary.retire()
        return not self.primary.retired

    def require_primary(self) -> None:
        """Raises what the server would answer to a write, or that the connection is closed.

        The last answer may be out of date then. A write that was not sent yet was not done.
        """
        if self.is_closed():
            raise asyncpg.InterfaceError("the connection is closed")
        if not self.takes_writes():
            raise asyncpg.ReadOnlySQLTransactionError("the server does not take writes any more")
