"""A primary and its standbys: whichever of them takes writes."""

import asyncio
import socket
from contextlib import suppress
from typing import Any

import asyncpg

from kernel.adapters.postgres.connections.primary import Primary, PrimaryConnection
from kernel.adapters.postgres.connections.urls import HostUrl, database_hosts
from kernel.adapters.reread import Reread

# A host that is away, starting, ending, or a standby.
_PASSED_OVER = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.exceptions.OperatorInterventionError,
    asyncpg.exceptions.TargetServerAttributeNotMatched,
)

SEARCH_EVERY_S = 0.1
# What the sessions of a service are called, and no other's, where its URL names nothing else.
SESSION_NAME = "shop"


class Hosts:
    """The hosts of a libpq URL, one after another, the one that answered last time first.

    The driver would do this by itself, but with one time limit for all: a host that lost its power or its
    network, and answers nothing, would use it up, and the next one would never be asked.
    """

    def __init__(self, url: str) -> None:
        """Raises UrlProblem."""
        self._url = Reread(url, database_hosts)
        self._hosts = self._url.now()
        self._primary: Primary | None = None
        self._failure: Exception | None = None
        self._searched_at = 0.0
        self._searching = asyncio.Lock()

    async def connect(self, *, timeout_s: float, **options: Any) -> PrimaryConnection:
        """A connection that may write, within `timeout_s`. Raises what the last host's driver raises.

        While no host takes writes, one caller at a time searches, every SEARCH_EVERY_S at most. Callers that
        came before a search began share its result: more searches would slow down the host that takes over.
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
        connection = await connect_to(host, timeout_s=timeout_s / len(self._hosts), **options)
        self._hosts.sort(key=lambda one: one != host)
        connection.primary = self._primary_at(host)
        return connection

    def _primary_at(self, host: HostUrl) -> Primary:
        """Only one host takes writes: if another one does now, the former is silent or cut off.

        A host whose password was rotated is the same one, and its connections stay good.
        """
        primary = self._primary
        if primary is None or primary.retired or str(primary.host) != str(host):
            if primary is not None:
                primary.retire()
            self._primary = primary = Primary(host)
        return primary


async def connect_to(
    host: HostUrl, *, timeout_s: float, server_settings: dict[str, str], **options: Any
) -> PrimaryConnection:
    """A connection that may write. A timeout in the URL can only shorten `timeout_s`: callers wait."""
    connection: PrimaryConnection = await asyncpg.connect(
        **host.driver_options(),
        timeout=min(timeout_s, host.connect_within_s or timeout_s),
        target_session_attrs="read-write",
        connection_class=PrimaryConnection,
        # What the shop needs of the session comes last: it wins over `options`.
        server_settings={"application_name": SESSION_NAME} | host.session_settings | server_settings,
        **options,
    )
    if not host.host.startswith("/"):
        _set_socket_options(connection, host)
    return connection


def session_name(url: str) -> str:
    """What the sessions of the service of this URL are called."""
    return database_hosts(url)[0].session_settings.get("application_name", SESSION_NAME)


def _set_socket_options(connection: asyncpg.Connection, host: HostUrl) -> None:
    """Sets libpq's socket options, as far as this system has them; the driver has no parameter for them."""
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
