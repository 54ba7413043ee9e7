import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kernel.adapters.http.server.server import HttpServer, listen
from tests.servers.ports import free_port
from tests.servers.process import eventually

HEAD = b"HTTP/1.1 200 OK"


class Client(asyncio.Protocol):
    """Keeps what it receives as it comes in."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.ended = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.received.append(data)

    def connection_lost(self, _: Exception | None) -> None:
        self.ended.set()


@asynccontextmanager
async def answered(*parts: bytes) -> AsyncIterator[tuple[Client, asyncio.WriteTransport]]:
    """A client that asked a server which answers with a body in these parts, and then ends the connection."""

    async def app(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        headers = [(b"content-length", b"%d" % len(b"".join(parts))), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for part in parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    port, stop = free_port(), asyncio.Event()
    with listen("127.0.0.1", port) as listener:
        server = HttpServer(app, listener)
        serving = asyncio.create_task(server.run_until(stop))
        await eventually(lambda: server.started, every=0.01)
        transport, client = await asyncio.get_running_loop().create_connection(Client, "127.0.0.1", port)
        transport.write(b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n")
        try:
            yield client, transport
        finally:
            transport.close()
            stop.set()
            await serving


async def test_head_and_body_of_an_answer_come_together_and_before_the_connection_ends() -> None:
    async with answered(b"a body") as (client, _):
        await asyncio.wait_for(client.ended.wait(), 10)
        (answer,) = client.received
        assert answer.startswith(HEAD)
        assert answer.endswith(b"\r\n\r\na body")


async def test_a_long_answer_comes_whole_and_in_order() -> None:
    parts = [bytes([65 + number]) * 300_000 for number in range(20)]
    async with answered(*parts) as (client, _):
        await asyncio.wait_for(client.ended.wait(), 10)
        head, _, body = b"".join(client.received).partition(b"\r\n\r\n")
        assert head.startswith(HEAD)
        assert body == b"".join(parts)
