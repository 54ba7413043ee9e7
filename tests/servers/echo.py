"""Runs the shop's own HTTP server with a minimal application, which echoes requests."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from kernel.adapters.http.server.limits import Limits
from kernel.adapters.http.server.server import HttpServer, listen
from tests.servers.process import eventually

BIG = 8 * 1024 * 1024


@dataclass
class Echo:
    """An application that answers with the request's body.

    `/slow` waits for `allowed`, `/stream` never ends its answer, `/big` answers with 8 MiB, and `/early`
    answers before it reads the body.
    """

    begun: list[str] = field(default_factory=list)
    """Method and target of every request that has begun."""
    bodies: list[bytes] = field(default_factory=list)
    """The body of every request whose body was read completely."""
    left: list[str] = field(default_factory=list)
    """The path of every request whose client disconnected before the end of the answer."""
    scopes: list[Any] = field(default_factory=list)
    allowed: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""
    connections: Collection[Any] = ()

    def forget(self) -> None:
        for seen in (self.begun, self.bodies, self.left, self.scopes):
            seen.clear()
        self.allowed.clear()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise NotImplementedError
        path = scope["path"]
        self.begun.append(f"{scope['method']} {path}")
        self.scopes.append(scope)
        if path == "/early":
            await self._answer(send, b"early")
            return
        body = await self._whole(receive)
        if body is None:
            self.left.append(path)
            return
        self.bodies.append(body)
        if path == "/slow":
            await self.allowed.wait()
        if path == "/stream":
            await self._stream(receive, send)
        elif path == "/crash":
            raise ZeroDivisionError
        else:
            await self._answer(send, b"x" * BIG if path == "/big" else body)

    async def _whole(self, receive: Any) -> bytes | None:
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message["body"]
            more = message["more_body"]
        return body

    async def _answer(self, send: Any, body: bytes) -> None:
        length = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": length})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    async def _stream(self, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"one ", "more_body": True})
        await receive()
        self.left.append("/stream")
        await send({"type": "http.response.body", "body": b"last", "more_body": False})


@asynccontextmanager
async def echoing(uncapped: Callable[[str], bool] = lambda _: False, **limits: Any) -> AsyncIterator[Echo]:
    echo, stop = Echo(), asyncio.Event()
    with listen("127.0.0.1", 0) as listener:
        echo.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = HttpServer(echo, listener, Limits(**limits), uncapped)
        echo.connections = server.server_state.connections
        serving = asyncio.create_task(server.run_until(stop))
        await eventually(lambda: server.started, every=0.01)
        try:
            yield echo
        finally:
            echo.allowed.set()
            stop.set()
            await serving
