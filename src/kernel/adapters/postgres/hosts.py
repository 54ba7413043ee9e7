"""A primary and its standbys: whichever of them takes writes."""

from typing import Any
from urllib.parse import urlsplit

import asyncpg

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
        parts = urlsplit(url)
        account, at, hosts = parts.netloc.rpartition("@")
        self._urls = [parts._replace(netloc=f"{account}{at}{host}").geturl() for host in hosts.split(",")]

    async def connect(self, *, timeout_s: float, **options: Any) -> asyncpg.Connection:
        """A connection that may write, within `timeout_s`. Raises what the last host's driver raises."""
        *others, last = self._urls
        for url in others:
            try:
                return await self._connect(url, timeout_s, options)
            except _PASSED_OVER:
                continue
        return await self._connect(last, timeout_s, options)

    async def _connect(self, url: str, timeout_s: float, options: dict[str, Any]) -> asyncpg.Connection:
        connection = await asyncpg.connect(
            url, timeout=timeout_s / len(self._urls), target_session_attrs="read-write", **options
        )
        self._urls.sort(key=lambda one: one != url)
        return connection
