"""An HTTP client that sends given bytes unchanged, and parses answers strictly by RFC 9112."""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

ANSWERS_WITHIN_S = 15.0
# More than the kernel buffers for a server that reads nothing.
NEVER_TAKEN_BYTES = 20 * 1024 * 1024
_STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) [ -~]*")


@dataclass(frozen=True)
class RawAnswer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of the problem in the answer. Raises AssertionError if the answer is no problem."""
        assert self.headers["content-type"] == "application/problem+json", self
        assert self.json["status"] == self.status
        return str(self.json["code"])

    @property
    def closes(self) -> bool:
        return self.headers.get("connection") == "close"


class Raw:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, *parts: bytes) -> None:
        """Sends each part separately, so that the parts arrive as different TCP segments."""
        for part in parts:
            self._writer.write(part)
            await self._writer.drain()
            await asyncio.sleep(0)

    def leave(self) -> None:
        """Resets the connection, as when the client's process dies."""
        self._writer.transport.abort()

    def send_no_more(self) -> None:
        self._writer.write_eof()

    async def answer(self, *, to_head: bool = False) -> RawAnswer:
        """Reads the next answer.

        Raises EOFError if the connection ends early, and AssertionError if the bytes are no valid answer.
        """
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            try:
                head = await self._reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionError) as error:
                raise EOFError(f"no whole answer: {error!r}") from error
            status_line, *lines = head[:-4].split(b"\r\n")
            found = _STATUS_LINE.fullmatch(status_line)
            assert found, f"no status line: {status_line!r}"
            headers = dict(line.decode("latin-1").split(": ", 1) for line in lines)
            assert len(headers) == len(lines), f"a header twice: {lines}"
            status = int(found[1])
            return RawAnswer(status, headers, await self._body(status, headers, to_head))

    async def _body(self, status: int, headers: dict[str, str], to_head: bool) -> bytes:
        if to_head or status in (100, 204, 304):
            return b""
        if (length := headers.get("content-length")) is not None:
            return await self._reader.readexactly(int(length))
        if headers.get("transfer-encoding") != "chunked":
            return await self._reader.read()
        body = b""
        while size := int(await self._reader.readline(), 16):
            body += await self._reader.readexactly(size)
            assert await self._reader.readexactly(2) == b"\r\n"
        assert await self._reader.readline() == b"\r\n"
        return body

    async def some(self) -> bytes:
        """Reads the next bytes as they arrive; empty at the end of the connection."""
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            return await self._reader.read(65536)

    async def rest(self) -> bytes:
        """Reads all further bytes until the server ends the connection."""
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            try:
                return await self._reader.read()
            except ConnectionError:
                return b""


async def taken(raw: Raw, part: bytes, most: int, meanwhile: Callable[[], Awaitable[Any]]) -> int:
    """Sends `part` again and again until the server takes no more, or until `most` bytes. Returns the count.

    `meanwhile` calls the same server in between, so that the server had time to take more.
    """
    count, before = 0, -1

    async def offer() -> None:
        nonlocal count
        while True:
            await raw.send(part)
            count += len(part)

    offering = asyncio.create_task(offer())
    while before < count <= most:
        before = count
        for _ in range(20):
            await meanwhile()
    offering.cancel()
    return count


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Raw]:
    address = urlsplit(url)
    client = socket.socket()
    client.setblocking(False)
    # Otherwise the kernel buffers megabytes for a client that reads nothing.
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
    try:
        await asyncio.get_running_loop().sock_connect(client, (address.hostname, address.port))
        reader, writer = await asyncio.open_connection(sock=client)
    except BaseException:
        client.close()
        raise
    try:
        yield Raw(reader, writer)
    finally:
        writer.transport.abort()


def request(
    target: str = "/", *headers: str, method: str = "GET", body: bytes = b"", version: str = "1.1"
) -> bytes:
    """The bytes of a request, with a Host header, and with Content-Length if it has a body."""
    lines = [f"{method} {target} HTTP/{version}", "Host: shop", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
