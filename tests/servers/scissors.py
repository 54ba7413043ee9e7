"""A proxy to a PostgreSQL server that breaks the connection at a chosen statement."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


class Scissors:
    """A proxy to a server. It breaks its first connection when the chosen change has been sent."""

    def __init__(self, url: str, changes: str, cut_at: int | None = None) -> None:
        self._far = urlsplit(url)
        self._changes = re.compile(changes.encode())
        self._cut_at = cut_at
        self.sent = 0
        self._connections = 0
        self._parsed = b""

    @asynccontextmanager
    async def laid(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        account = self._far.netloc.rpartition("@")[0]
        try:
            yield self._far._replace(netloc=f"{account}@127.0.0.1:{port}").geturl()
        finally:
            server.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        migrating = self._connections == 1
        far_reader, far_writer = await asyncio.open_connection(self._far.hostname, self._far.port)
        await asyncio.gather(
            self._carry(reader, far_writer, writer, migrating=migrating),
            self._carry(far_reader, writer, far_writer),
        )

    async def _carry(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        opposite: asyncio.StreamWriter,
        *,
        migrating: bool = False,
    ) -> None:
        with suppress(OSError):
            while some := await reader.read(64 * 1024):
                writer.write(some)
                await writer.drain()
                if migrating and self._executes_a_change(some):
                    self.sent += 1
                    if self.sent == self._cut_at:
                        break
        writer.transport.abort()
        opposite.transport.abort()

    def _executes_a_change(self, message: bytes) -> bool:
        """PostgreSQL manual, 54.7: Parse has the statement and Bind runs it, or Query does both."""
        kind, text = message[:1], message[5:].lstrip(b"_0123456789abcdef\0 \n")
        if kind == b"P":
            self._parsed = message
        statement = {b"B": self._parsed, b"Q": text}.get(kind, b"")
        return self._changes.search(statement) is not None
