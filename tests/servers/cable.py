"""A TCP proxy in front of a server. It fails in the ways of a network, and balances over replicas."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum
from typing import Self
from urllib.parse import urlsplit

from tests.servers.ports import free_port

CHUNK = 64 * 1024
# The default port. Only the URL of a broker that the environment names may lack a port.
AMQP_PORT = 5672


class Way(Enum):
    THERE = "to the server"
    BACK = "from the server"


class Held:
    """Holds back, in one direction, the data that contains a text and everything after it."""

    def __init__(self, text: bytes, way: Way) -> None:
        self.caught = asyncio.Event()
        self.released = asyncio.Event()
        self._text = text
        self._way = way

    async def pass_by(self, some: bytes, way: Way) -> None:
        if way is self._way and self._text in some:
            self.caught.set()
            await self.released.wait()


class Cable:
    """Forwards connections to a server, or to its replicas in turn. Skips replicas that refuse it."""

    def __init__(self, *urls: str) -> None:
        """Sets `url` to the first URL, with the address of the proxy in place of the server's address."""
        self._port = free_port()
        far = urlsplit(urls[0])
        account = f"{far.netloc.rpartition('@')[0]}@" if "@" in far.netloc else ""
        self.url = far._replace(netloc=f"{account}127.0.0.1:{self._port}").geturl()
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._silent: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._delay_s = 0.0
        self._swallowed: Way | None = None
        self._held: Held | None = None
        self._turn = 0
        self.lead_to(*urls)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._port}"

    def lead_to(self, *urls: str) -> None:
        """Forwards new connections to these URLs from now on."""
        far = [urlsplit(url) for url in urls]
        self._far = [(one.hostname or "127.0.0.1", one.port or AMQP_PORT) for one in far]

    async def mend(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._connect, "127.0.0.1", self._port)

    async def cut(self) -> None:
        """Breaks every connection, and accepts no new one."""
        if self._server is not None:
            self._server.close()
            self.drop()
            await self._server.wait_closed()
            self._server = None

    def drop(self) -> None:
        """Breaks every connection, but accepts new ones."""
        for end in self._ends:
            end.transport.abort()

    def fall_silent(self) -> None:
        """Loses all data of the present connections, but keeps them open. New connections work."""
        self._silent |= self._ends

    async def __aenter__(self) -> Self:
        await self.mend()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cut()

    @asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        await self.cut()
        try:
            yield
        finally:
            await self.mend()

    @asynccontextmanager
    async def stalled(self) -> AsyncIterator[None]:
        """Delays all data until the end of the block."""
        self._flows.clear()
        try:
            yield
        finally:
            self._flows.set()

    @asynccontextmanager
    async def delayed(self, seconds: float) -> AsyncIterator[None]:
        self._delay_s = seconds
        try:
            yield
        finally:
            self._delay_s = 0.0

    @asynccontextmanager
    async def half_open(self, swallowed: Way) -> AsyncIterator[None]:
        """During the block, loses all data in this direction, and its EOF. Then breaks all connections."""
        self._swallowed = swallowed
        try:
            yield
        finally:
            self._swallowed = None
            self.drop()

    @asynccontextmanager
    async def holding(self, text: bytes, way: Way) -> AsyncIterator[Held]:
        """During the block, holds back the data that contains `text`, and all later data, one way."""
        self._held = held = Held(text, way)
        try:
            yield held
        finally:
            self._held = None
            held.released.set()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far = await self._reach()
        if far is None:
            writer.transport.abort()
            return
        far_reader, far_writer = far
        await asyncio.gather(
            self._carry(reader, far_writer, Way.THERE), self._carry(far_reader, writer, Way.BACK)
        )

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        for _ in self._far:
            self._turn += 1
            try:
                return await asyncio.open_connection(*self._far[self._turn % len(self._far)])
            except OSError:
                continue
        return None

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Way) -> None:
        self._ends.add(writer)
        try:
            while some := await self._next(reader, writer, way):
                if writer not in self._silent:
                    writer.write(some)
                    await writer.drain()
        except OSError:
            writer.transport.abort()
        finally:
            self._ends.discard(writer)
            self._silent.discard(writer)
            writer.close()

    async def _next(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Way) -> bytes:
        """Returns the next bytes for the other side; empty at the end of the connection."""
        while True:
            some = await reader.read(CHUNK)
            await self._flows.wait()
            if self._held is not None:
                await self._held.pass_by(some, way)
            if self._delay_s:
                await asyncio.sleep(self._delay_s)
            if self._swallowed is not way:
                return some
            if not some:
                # The EOF is lost: the other side notices nothing until the connection breaks.
                while not writer.transport.is_closing():
                    await asyncio.sleep(0.1)
                return b""
