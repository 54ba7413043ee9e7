"""A load generator that costs about 20 µs a request: raw HTTP/1.1 on kept-alive connections, no parser."""

import asyncio
import random
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import takewhile
from typing import cast
from urllib.parse import urlsplit

# Streams that are opened at once: fewer than wait for a server to accept them.
OPENED_AT_ONCE = 100

_STATUS = re.compile(rb'"status":"(\w+)"')
_RETRY_AFTER = re.compile(rb"\r\nretry-after: *(\d+)", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def get(url: str) -> bytes:
    """The bytes of a GET."""
    at = urlsplit(url)
    return f"GET {at.path}?{at.query} HTTP/1.1\r\nHost: {at.netloc}\r\n\r\n".encode()


def post(url: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    """The bytes of a POST of JSON."""
    at = urlsplit(url)
    further = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    head = (
        f"POST {at.path} HTTP/1.1\r\nHost: {at.netloc}\r\nContent-Type: application/json\r\n"
        f"{further}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@dataclass
class Answers:
    statuses: Counter[int] = field(default_factory=Counter)
    latencies_s: list[float] = field(default_factory=list)
    seconds: float = 0.0
    cpu_s: float = 0.0
    """What the generator itself took of the machine."""

    @property
    def per_s(self) -> float:
        return len(self.latencies_s) / self.seconds


class _Connection(asyncio.Protocol):
    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._received = b""
        self._request = b""
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def send(self, requests: Iterator[bytes]) -> None:
        """Each once the one before is answered; then `done`."""
        self._requests = requests
        self.done = asyncio.get_running_loop().create_future()
        self._send()

    @property
    def idle(self) -> bool:
        return self.done.done() and not self._transport.is_closing()

    def close(self) -> None:
        self._transport.close()

    def _send(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self.done.set_result(None)
        else:
            self._write(request)

    def _write(self, request: bytes) -> None:
        self._request, self._sent_at = request, time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _LENGTH.search(self._received, 0, end)
        assert length is not None, self._received[:500]
        if len(self._received) < end + 4 + int(length[1]):
            return
        self._answers.latencies_s.append(time.perf_counter() - self._sent_at)
        self._answers.statuses[int(self._received[9:12])] += 1
        head, self._received = self._received[:end], b""
        self._answered(head)

    def _answered(self, head: bytes) -> None:
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server closed the connection"))


class _Retrying(_Connection):
    """A client that sends again what was refused: after `Retry-After`, or at once."""

    def __init__(self, answers: Answers, *, patient: bool) -> None:
        super().__init__(answers)
        self._patient = patient

    def _answered(self, head: bytes) -> None:
        if not head.startswith((b"HTTP/1.1 429", b"HTTP/1.1 503")):
            self._send()
            return
        after = _RETRY_AFTER.search(head)
        assert after is not None, head
        if self._patient:
            # Not all at the same moment, as no two clients are.
            delay_s = int(after[1]) * random.uniform(1, 1.2)
            asyncio.get_running_loop().call_later(delay_s, self._write, self._request)
        else:
            self._write(self._request)


class _Load:
    """The connections to one server, and its answers."""

    def __init__(self, url: str) -> None:
        self.connections: list[_Connection] = []
        self.started = asyncio.get_running_loop().time()
        self._cpu = time.process_time()
        self._answers = Answers()
        self._at = urlsplit(url)

    async def connect(self, kind: Callable[[Answers], _Connection] = _Connection) -> _Connection:
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: kind(self._answers), self._at.hostname, self._at.port
        )
        self.connections.append(connection)
        return connection

    async def answers(self) -> Answers:
        await asyncio.gather(*(connection.done for connection in self.connections))
        self._answers.seconds = asyncio.get_running_loop().time() - self.started
        self._answers.cpu_s = time.process_time() - self._cpu
        for connection in self.connections:
            connection.close()
        return self._answers


async def run_load(url: str, requests: Iterator[bytes], *, connections: int) -> Answers:
    """Sends all requests, one after the other on each connection. Raises OSError when one breaks."""
    load = _Load(url)
    for _ in range(connections):
        (await load.connect()).send(requests)
    return await load.answers()


async def run_retrying(url: str, requests: Iterator[bytes], *, connections: int, impatient: float) -> Answers:
    """Like `run_load`, by clients that send again what is refused, the share `impatient` of them at once."""
    load = _Load(url)
    for number in range(connections):
        patient = number >= impatient * connections
        (await load.connect(partial(_Retrying, patient=patient))).send(requests)
    return await load.answers()


def until(deadline_s: float, requests: Iterator[bytes]) -> Iterator[bytes]:
    """The requests that are sent before this time of the event loop."""
    now = asyncio.get_running_loop().time
    return takewhile(lambda _: now() < deadline_s, requests)


async def run_paced(url: str, requests: Iterator[bytes], *, per_s: float) -> Answers:
    """Sends each request when it is due, on a new connection if no other is idle: late answers delay nobody.

    Raises OSError when a connection breaks that an answer is due on.
    """
    load = _Load(url)
    for number, request in enumerate(requests):
        await asyncio.sleep(load.started + number / per_s - asyncio.get_running_loop().time())
        idle = filter(lambda connection: connection.idle, load.connections)
        (next(idle, None) or await load.connect()).send(iter([request]))
    return await load.answers()


class Stream(asyncio.Protocol):
    """A reader of server-sent events, who keeps what it is told."""

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
                future.exception()  # Nobody has to wait for it: the bench itself leaves streams.

    def close(self) -> None:
        self._transport.close()


@asynccontextmanager
async def open_streams(urls: Sequence[str]) -> AsyncIterator[list[Stream]]:
    """Streams of which each has told something, on a connection each.

    Raises OSError when one breaks, here or where its end is waited for.
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
