"""Finds the host that takes writes, among a primary and its standbys, and connects to it."""

import asyncio
import socket
from contextlib import suppress
from typing import Any

import asyncpg

from kernel.adapters.postgres.connections.primary import Primary, PrimaryConnection
from kernel.adapters.postgres.connections.urls import HostUrl, database_hosts
from kernel.adapters.reread import Reread

# After these errors the next host is tried: this one is unreachable, starting, stopping, or a standby.
_PASSED_OVER = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.exceptions.OperatorInterventionError,
    asyncpg.exceptions.TargetServerAttributeNotMatched,
)

SEARCH_EVERY_S = 0.1
# The default application_name of a service's sessions. Commands such as `shop audit` use other names.
SESSION_NAME = "shop"


class Hosts:
    """The hosts of a libpq URL. A search tries one after another, first the host that took writes last time.

    The driver could try the hosts too, but with one time limit for all. A host without power or network does
    not answer and would use up that time, and the next host would never be tried.
    """

    def __init__(self, url: str) -> None:
        """Raises UrlProblem if the URL is not valid."""
        self._url = Reread(url, database_hosts)
        self._hosts = self._url.now()
        self._primary: Primary | None = None
        self._failure: Exception | None = None
        self._searched_at = 0.0
        self._searching = asyncio.Lock()

    async def connect(self, *, timeout_s: float, **options: Any) -> PrimaryConnection:
        """Connects to the host that takes writes, within `timeout_s`. Raises the error of the last host.

        While no host takes writes, one caller at a time searches, at most every SEARCH_EVERY_S. If the search
        fails, callers that came before it began get its error, because more searches would slow down a
        standby that becomes the primary.
        """
        if self._failure is None:
            return await self._search(timeout_s, options)
        loop = asyncio.get_running_loop()
        came_at = loop.time()
        async with asyncio.timeout(timeout_s), self._searching:
            if self._failure is not None:
                if self._searched_at > came_at:
                    raise self._failure.with_traceback(None)
                await asyncio.sleep(self._searched_at + SEARCH_EVERY_S - loop.time())
            return await self._search(timeout_s, options)

    async def _search(self, timeout_s: float, options: dict[str, Any]) -> PrimaryConnection:
        self._hosts = self._url.now()
        self._searched_at = asyncio.get_running_loop().time()
        try:
            found = await self._first_that_takes_writes(timeout_s, options)
        except Exception as error:
            self._failure = error
            raise
        self._failure = None
        return found

    async def _first_that_takes_writes(self, timeout_s: float, options: dict[str, Any]) -> PrimaryConnection:
        *others, last = self._hosts
        for host in others:
            with suppress(*_PASSED_OVER):
                return await self._connect(host, timeout_s, options)
        return await self._connect(last, timeout_s, options)

    async def _connect(self, host: HostUrl, timeout_s: float, options: dict[str, Any]) -> PrimaryConnection:
        """Connects to one host, within its share of `timeout_s`. A timeout in the URL can only shorten it."""
        share_s = timeout_s / len(self._hosts)
        # The shop's own settings come last, so that they override the settings in the URL.
        settings = {"application_name": SESSION_NAME} | host.session_settings | options["server_settings"]
        connection: PrimaryConnection = await asyncpg.connect(
            **host.driver_options(),
            **options | {"server_settings": settings},
            timeout=min(share_s, host.connect_within_s or share_s),
            target_session_attrs="read-write",
            connection_class=PrimaryConnection,
        )
        if not host.host.startswith("/"):
            _set_socket_options(connection, host)
        self._hosts.sort(key=lambda one: one != host)
        connection.primary = self._primary_at(host)
        return connection

    def _primary_at(self, host: HostUrl) -> Primary:
        """Returns the host's Primary. Retires a former primary host, because only one host takes writes.

        A new password does not make another host, so existing connections stay usable.
        """
        primary = self._primary
        if primary is None or primary.retired or str(primary.host) != str(host):
            if primary is not None:
                primary.retire()
            self._primary = primary = Primary(host)
        return primary


def session_name(url: str) -> str:
    """Returns the application_name of a service's sessions, for the service's URL."""
    return database_hosts(url)[0].session_settings.get("application_name", SESSION_NAME)


def _set_socket_options(connection: asyncpg.Connection, host: HostUrl) -> None:
    """Sets the URL's socket options that this system has. The driver has no parameters for them."""
    numbers = {
        "keepalives": (socket.SOL_SOCKET, "SO_KEEPALIVE"),
        "keepalives_idle": (socket.IPPROTO_TCP, "TCP_KEEPIDLE"),
        "keepalives_interval": (socket.IPPROTO_TCP, "TCP_KEEPINTVL"),
        "keepalives_count": (socket.IPPROTO_TCP, "TCP_KEEPCNT"),
        "tcp_user_timeout": (socket.IPPROTO_TCP, "TCP_USER_TIMEOUT"),
    }
    for name, value in host.socket_options.items():
        level, option = numbers[name]
        if (number := getattr(socket, option, None)) is not None:
            connection._transport.get_extra_info("socket").setsockopt(level, number, value)
