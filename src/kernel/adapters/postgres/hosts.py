"""A primary and its standbys: whichever of them takes writes."""

import socket
from typing import Any

import asyncpg

from kernel.adapters.postgres.urls import HostUrl, database_hosts

# A host that is away, still starting, or a standby.
_PASSED_OVER = (
    OSError,
    TimeoutError,
    asyncpg.CannotConnectNowError,
    asyncpg.exceptions.TargetServerAttributeNotMatched,
)


class Hosts:
    """The hosts of a libpq URL, one after another, the one that answered last time first.

    The driver would do this by itself, but with one time limit for all: a host that lost its power or its
    network, and answers nothing, would use it up, and the next one would never be asked.
    """

    def __init__(self, url: str) -> None:
        """Raises UrlProblem."""
        self._urls = database_hosts(url)

    async def connect(self, *, timeout_s: float, **options: Any) -> asyncpg.Connection:
        """A connection that may write, within `timeout_s`. Raises what the last host's driver raises."""
        *others, last = self._urls
        for url in others:
            try:
                return await self._connect(url, timeout_s, options)
            except _PASSED_OVER:
                continue
        return await self._connect(last, timeout_s, options)

    async def _connect(self, url: HostUrl, timeout_s: float, options: dict[str, Any]) -> asyncpg.Connection:
        connection = await connect_to(url, timeout_s=timeout_s / len(self._urls), **options)
        self._urls.sort(key=lambda one: one != url)
        return connection


async def connect_to(
    host: HostUrl, *, timeout_s: float, server_settings: dict[str, str], **options: Any
) -> asyncpg.Connection:
    """A connection that may write. A limit of the URL can only shorten `timeout_s`, for callers wait."""
    connection = await asyncpg.connect(
        **host.driver_options(),
        timeout=min(timeout_s, host.connect_within_s or timeout_s),
        target_session_attrs="read-write",
        # What the shop needs of the session comes last: it wins over `options`.
        server_settings=host.session_settings | server_settings | _name(host),
        **options,
    )
    if not host.host.startswith("/"):
        _set_socket_options(connection, host)
    return connection


def _name(host: HostUrl) -> dict[str, str]:
    name = host.session_settings.get("application_name")
    return {"application_name": name} if name else {}


def _set_socket_options(connection: asyncpg.Connection, host: HostUrl) -> None:
    """Those of libpq's that this system knows; the driver has no option for them."""
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
