"""A server that is to stop: clients are sent away, and what they had begun is finished."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest
from litestar import Litestar, get

from kernel.adapters.http.server import server
from kernel.adapters.http.server.server import HttpServer, listen
from kernel.domain.errors import Unavailable
from tests.servers.process import eventually


@dataclass
class Running:
    """A server with a quick route, and a slow one that answers when it is allowed to."""

    url: str
    stop: asyncio.Event
    serving: asyncio.Task[None]
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    allowed: asyncio.Event = field(default_factory=asyncio.Event)


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    begun, allowed = asyncio.Event(), asyncio.Event()

    @get("/quick")
    async def quick() -> str:
        return "done"

    @get("/slow")
    async def slow() -> str:
        begun.set()
        await allowed.wait()
        return "done"

    stop = asyncio.Event()
    with listen("127.0.0.1", 0) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        serving = asyncio.create_task(
            HttpServer(Litestar([quick, slow], logging_config=None), listener).run_until(stop)
        )
        yield Running(url, stop, serving, begun, allowed)
        stop.set()
        await serving


async def sends_away(session: aiohttp.ClientSession, url: str) -> bool:
    async with session.get(url) as answer:
        assert answer.status == 200
        return answer.headers.get("Connection") == "close"


async def test_requests_that_began_or_still_arrive_are_answered_and_the_connection_ended(
    running: Running,
) -> None:
    async with aiohttp.ClientSession() as session:
        assert not await sends_away(session, f"{running.url}/quick")
        asking = asyncio.create_task(sends_away(session, f"{running.url}/slow"))
        await running.begun.wait()
        running.stop.set()
        await eventually(lambda: sends_away(session, f"{running.url}/quick"))
        running.allowed.set()
        assert await asking


async def test_a_server_that_nobody_is_connected_to_stops_at_once(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "LULL_S", 60.0)
    running.stop.set()
    async with asyncio.timeout(10):
        await running.serving


async def test_a_connection_that_nobody_uses_is_closed_in_the_end(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "LULL_S", 0.1)
    port = int(running.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    running.stop.set()
    assert await reader.read() == b""
    writer.close()
    await eventually(running.serving.done)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other names for it")
async def test_clients_that_vanish_are_noticed() -> None:
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 30_000


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this system has no sockets for both families")
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_every_address_of_ipv6_is_every_address_of_ipv4_too(address: str) -> None:
    with listen("::", 0) as listener:
        socket.create_connection((address, listener.getsockname()[1]), timeout=5).close()


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("nowhere.invalid", "no address is known by this name"),
        ("a..b", "no address is known by this name"),
        ("[::]", "no address is known by this name"),
        ("192.0.2.1", "this machine has no such address"),
    ],
)
def test_a_host_that_is_none_of_ours_is_said_in_words(host: str, words: str) -> None:
    with pytest.raises(Unavailable, match=words) as refused, listen(host, 0):
        pass
    assert host in refused.value.detail
