"""A load generator for HTTP/1.1 on keep-alive connections. It parses little, and uses 20 µs per request."""

import asyncio
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import takewhile
from typing import cast
from urllib.parse import urlsplit

_RETRY_AFTER = re.compile(rb"\r\nretry-after: *(\d+)", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def get(url: str) -> bytes:
    """Returns the bytes of a GET request."""
    at = urlsplit(url)
    return f"GET {at.path}?{at.query} HTTP/1.1\r\nHost: {at.netloc}\r\n\r\n".encode()


def post(url: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    """Returns the bytes of a POST request with a JSON body."""
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
    """CPU time of the generator itself."""

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
        """Sends each request after the answer to the one before. `done` is set after the last answer."""
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
    """A client that repeats a refused request: after `Retry-After` if it is patient, else at once."""

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
            # Real clients do not all come back at the same moment.
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
    """Sends all requests, one at a time on each connection. Raises OSError when a connection breaks."""
    load = _Load(url)
    for _ in range(connections):
        (await load.connect()).send(requests)
    return await load.answers()


async def run_retrying(url: str, requests: Iterator[bytes], *, connections: int, impatient: float) -> Answers:
    """Like `run_load`, but clients repeat refused requests; the share `impatient` of them at once."""
    load = _Load(url)
    for number in range(connections):
        patient = number >= impatient * connections
        (await load.connect(partial(_Retrying, patient=patient))).send(requests)
    return await load.answers()


def until(deadline_s: float, requests: Iterator[bytes]) -> Iterator[bytes]:
    """The requests until the deadline, which is a time of the event loop."""
    now = asyncio.get_running_loop().time
    return takewhile(lambda _: now() < deadline_s, requests)


async def run_paced(url: str, requests: Iterator[bytes], *, per_s: float) -> Answers:
    """Sends `per_s` requests per second, on a new connection if none is idle, so a late answer delays no
    request.

    Raises OSError when a connection breaks before its answer.
    """
    load = _Load(url)
    for number, request in enumerate(requests):
        await asyncio.sleep(load.started + number / per_s - asyncio.get_running_loop().time())
        idle = filter(lambda connection: connection.idle, load.connections)
        (next(idle, None) or await load.connect()).send(iter([request]))
    return await load.answers()
