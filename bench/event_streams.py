"""Clients of server-sent events that cost little themselves."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import cast
from urllib.parse import urlsplit

# Streams opened at the same time; must be fewer than the server's backlog of connections.
OPENED_AT_ONCE = 100

_STATUS = re.compile(rb'"status":"(\w+)"')


class Stream(asyncio.Protocol):
    """A client of server-sent events that keeps all that it receives."""

    def __init__(self, request: bytes) -> None:
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[None] = loop.create_future()
        self._request = request
        self._received = b""

    @property
    def statuses(self) -> list[str]:
        return [status.decode() for status in _STATUS.findall(self._received)]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if b"\r\n\r\n" in self._received and not self._received.startswith(b"HTTP/1.1 200 "):
            self._transport.abort()
        if not self.opened.done() and self.statuses:
            self.opened.set_result(None)
        if self._received.endswith(b"\r\n0\r\n\r\n") and not self.ended.done():
            self.ended.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        for future in (self.opened, self.ended):
            if not future.done():
                future.set_exception(error or ConnectionError(f"no more than {self._received[-500:]!r}"))
                future.exception()  # Nobody may be waiting: the bench closes streams itself.

    def close(self) -> None:
        self._transport.close()


@asynccontextmanager
async def open_streams(urls: Sequence[str]) -> AsyncIterator[list[Stream]]:
    """Open streams, each on its own connection, after each one's first event.

    Raises OSError when a stream breaks; so do waits for its end.
    """
    loop = asyncio.get_running_loop()
    streams: list[Stream] = []
    try:
        for first in range(0, len(urls), OPENED_AT_ONCE):
            some = urls[first : first + OPENED_AT_ONCE]
            for url in some:
                at = urlsplit(url)
                request = f"GET {at.path} HTTP/1.1\r\nHost: {at.netloc}\r\nAccept: text/event-stream\r\n\r\n"
                _, stream = await loop.create_connection(
                    lambda r=request: Stream(r.encode()), at.hostname, at.port
                )
                streams.append(stream)
            await asyncio.gather(*(stream.opened for stream in streams[first:]))
        yield streams
    finally:
        for stream in streams:
            stream.close()
