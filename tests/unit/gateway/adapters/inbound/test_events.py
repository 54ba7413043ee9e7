"""Streams on the wire, and the readers that leave, stall or have nothing to hear."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from math import inf
from typing import Any
from uuid import UUID

import pytest

from gateway.adapters.inbound import events
from gateway.adapters.inbound.events import EventStream
from gateway.application.hub import Hub
from gateway.domain.orders import Change
from kernel.adapters.http.conventions.caller import CURRENT
from kernel.adapters.identity import bearer
from kernel.adapters.in_process.bus import InProcessBroker, InProcessNotifications
from kernel.adapters.system_clock import SystemClock
from kernel.domain.caller import ANYONE
from kernel.domain.errors import Unavailable
from kernel.ports.tokens import Verified
from tests.catalog import CATALOG
from tests.memory.tokens import MemoryTokens
from tests.unit.clock import id_of

ONE = id_of(1)
NEW = Change(ONE, "alice", 1, "NEW", b'{"status":"NEW"}')
FINISHED = Change(ONE, "alice", 2, "FINISHED", b'{"status":"FINISHED"}')

Message = dict[str, Any]


class Connection:
    """One stream as its server sees it; `takes` may wait, as a reader does that takes nothing."""

    def __init__(self, history: Sequence[Change], *, place: int = 0, **limits: int) -> None:
        self.history = history
        notifications = InProcessNotifications(InProcessBroker(CATALOG))
        self.hub = Hub(self, notifications, SystemClock(), **{"streams_max": 1} | limits)  # type: ignore[arg-type]
        self.sent: list[Message] = []
        self.left = asyncio.Event()
        self.takes: Callable[[], Awaitable[None]] | None = None
        self.tokens = MemoryTokens(SystemClock())
        self._stream = EventStream(self.hub, self.tokens, ONE, place)

    async def changes(self, order_ids: Sequence[UUID]) -> Sequence[Sequence[Change]]:
        return [self.history for _ in order_ids]

    async def receive(self) -> Message:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message)
        if self.takes is not None:
            await self.takes()

    async def serve(self, client: str = "1.2.3.4", *, until: float = inf) -> None:
        CURRENT.set(Verified(ANYONE, until))
        async with asyncio.timeout(20):
            await self._stream({"client": (client, 1)}, self.receive, self.send)  # type: ignore[arg-type]

    @asynccontextmanager
    async def served(self, client: str = "1.2.3.4") -> AsyncIterator[asyncio.Task[None]]:
        task = asyncio.create_task(self.serve(client))
        yield task
        await task

    async def has_sent(self, text: bytes) -> None:
        async with asyncio.timeout(20):
            while text not in self.body:
                await asyncio.sleep(0.001)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)

    async def has_room(self) -> None:
        """The place of the one watch that the hub allows is free."""
        async with self.hub.watch(ANYONE, ONE):
            with pytest.raises(Unavailable):
                await self.hub.watch(ANYONE, ONE).__aenter__()


async def test_a_stream_is_written_as_the_standard_says_and_nobody_keeps_it_back() -> None:
    connection = Connection([NEW, FINISHED])
    await connection.serve()
    start, *_, end = connection.sent
    headers = dict(start["headers"])
    assert start["status"] == 200
    assert headers[b"content-type"] == b"text/event-stream"
    assert headers[b"cache-control"] == b"no-store"
    assert connection.body == (
        b'event: status\nid: 1\ndata: {"status":"NEW"}\n\n'
        b'event: status\nid: 2\ndata: {"status":"FINISHED"}\n\n'
    )
    assert end == {"type": "http.response.body", "body": b"", "more_body": False}


async def test_a_stream_with_nothing_to_tell_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "HEARTBEAT_S", 0.01)
    connection = Connection([NEW])
    async with connection.served():
        await connection.has_sent(b"}\n\n:\n\n:\n\n")
        connection.hub.notify([FINISHED])


async def test_a_reader_that_leaves_makes_room_at_once() -> None:
    connection = Connection([NEW])
    async with connection.served():
        await connection.has_sent(b"NEW")
        connection.left.set()
    await connection.has_room()


async def test_a_reader_that_takes_nothing_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never() -> None:
        if connection.body:
            await asyncio.Event().wait()

    monkeypatch.setattr(events, "TAKEN_WITHIN_S", 0.01)
    connection = Connection([NEW])
    connection.takes = never
    await connection.serve()
    await connection.has_room()


@pytest.mark.parametrize(
    ("first", "again", "other"),
    [
        ("1.2.3.4", "1.2.3.4", "5.6.7.8"),
        # All addresses of IPv6 in one /64 are one client.
        ("2001:db8:0:1::1", "2001:db8:0:1:2::2", "2001:db8:0:2::1"),
    ],
)
async def test_the_streams_of_a_client_are_counted_by_its_address(first: str, again: str, other: str) -> None:
    connection = Connection([NEW], streams_max=3, streams_per_address_max=1)
    async with connection.served(first):
        await connection.has_sent(b"NEW")
        with pytest.raises(Unavailable) as refused:
            await connection.serve(again)
        assert refused.value.code == "too_many_streams"
        connection.left.set()
        await connection.serve(other)


async def test_a_hub_that_stops_ends_the_stream_so_that_the_reader_comes_back() -> None:
    connection = Connection([NEW])
    async with connection.served():
        await connection.has_sent(b"NEW")
        await connection.hub.stop()
    assert connection.sent[0]["status"] == 200
    assert connection.sent[-1]["more_body"] is False


async def test_a_stream_ends_when_the_token_of_its_reader_does() -> None:
    connection = Connection([NEW])
    ends_at = time.time() + 0.2
    await connection.serve(until=ends_at)
    assert ends_at <= time.time() < ends_at + 5
    assert connection.body.startswith(b"event: status\nid: 1\n")
    assert connection.sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
    await connection.has_room()


async def test_a_stream_ends_soon_after_its_token_is_believed_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(events, "HEARTBEAT_S", 0.01)
    connection = Connection([NEW])
    connection.tokens.known["t"] = Verified(ANYONE, inf)
    bearer.CURRENT.set("t")
    async with connection.served() as serving:
        await connection.has_sent(b"}\n\n:\n\n:\n\n")
        assert not serving.done()
        del connection.tokens.known["t"]
    assert connection.sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
    await connection.has_room()


async def test_a_stream_that_cannot_begin_raises_before_anything_is_sent() -> None:
    connection = Connection([NEW])
    await connection.hub.stop()
    with pytest.raises(Unavailable):
        await connection.serve()
    assert connection.sent == []
