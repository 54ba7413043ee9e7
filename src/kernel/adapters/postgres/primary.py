"""Connections to a server that takes writes, for as long as it does."""

from weakref import WeakSet

import asyncpg

from kernel.adapters.postgres.urls import HostUrl


class Primary:
    """A host, from when it was found to take writes until it is known that it no longer does."""

    def __init__(self, host: HostUrl) -> None:
        self.host = host
        self.retired = False
        # Connections that lie in the pool: nobody would hear from them that they lead to the wrong server.
        self.idle: WeakSet[PrimaryConnection] = WeakSet()

    def retire(self) -> None:
        """Idle connections are closed now, lent ones when they come back; new ones ask which host it is."""
        self.retired = True
        for connection in list(self.idle):
            connection.terminate()


class PrimaryConnection(asyncpg.Connection):  # type: ignore[misc]  # the library is not typed
    """Since PostgreSQL 14 a server reports with each answer whether it has become read-only: a primary that
    was switched over sets `default_transaction_read_only`, a standby is `in_hot_standby`."""

    __slots__ = ("primary",)
    primary: Primary

    def takes_writes(self) -> bool:
        """As far as this connection, or another one to the same server, was told."""
        settings = self.get_settings()
        if "on" in (
            getattr(settings, "default_transaction_read_only", "off"),
            getattr(settings, "in_hot_standby", "off"),
        ):
            self.primary.retire()
        return not self.primary.retired

    def require_primary(self) -> None:
        """Raises what the server itself would say to a write, or that the connection is closed.

        An answer that came before may be old, and what was not sent yet was not done.
        """
        if self.is_closed():
            raise asyncpg.InterfaceError("the connection is closed")
        if not self.takes_writes():
            raise asyncpg.ReadOnlySQLTransactionError("the server does not take writes any more")
