"""A service behind the gateway that does as it is told, over real HTTP."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from tests.servers.ports import free_port

Reply = Callable[[web.Request], Awaitable[web.StreamResponse]]


def answering(body: bytes | str, status: int = 200, **headers: str) -> Reply:
    """The same answer to every call, sent as it is written."""
    raw = body.encode() if isinstance(body, str) else body

    async def reply(_: web.Request) -> web.StreamResponse:
        return web.Response(body=raw, status=status, headers={"Content-Type": "application/json"} | headers)

    return reply


def problem(status: int, code: str, instance: str) -> dict[str, Any]:
    return {
        "type": f"urn:shop:problem:{code}",
        "title": "A title",
        "status": status,
        "detail": "a detail",
        "instance": instance,
        "code": code,
    }


def refusing(status: int, code: str, instance: str) -> Reply:
    return answering(
        json.dumps(problem(status, code, instance)), status, **{"Content-Type": "application/problem+json"}
    )


async def hanging_up(request: web.Request) -> web.StreamResponse:
    """The answer is lost."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


class Stub:
    """Answers with `reply`, and keeps what it was asked."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._runner: web.AppRunner | None = None
        self.forget()

    def forget(self) -> None:
        self.reply: Reply = answering("{}")
        self.calls: list[web.Request] = []
        self.bodies: list[Any] = []

    @property
    def targets(self) -> list[str]:
        """The calls, as they stood in the first line of each request."""
        return [f"{call.method} {call.raw_path}" for call in self.calls]

    async def start(self) -> None:
        if self._runner is not None:
            return
        app = web.Application(client_max_size=2**22)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/health/ready":  # The gateway asks by itself, once a second.
            return web.json_response({"status": "ready"})
        body = await request.read()
        self.calls.append(request)
        self.bodies.append(json.loads(body) if body else None)
        return await self.reply(request)
