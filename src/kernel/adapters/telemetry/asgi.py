"""Around a whole application: rate, errors and duration of its routes, and a span of each call."""

from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from time import perf_counter
from typing import Any

from kernel.adapters.telemetry.telemetry import Telemetry
from kernel.adapters.trace_context import CURRENT, valid

Scope = MutableMapping[str, Any]
Message = Any
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]

_HEADER = b"traceparent"
# What is asked every few seconds for ever is of no interest as a trace.
_UNTRACED = ("/health/", "/metrics")

# Nobody is answered with it: the client left before its request was whole.
CLIENT_LEFT = 499


def observed(app: App, telemetry: Telemetry) -> App:
    tracing = telemetry.tracing
    requests = cache(telemetry.metrics.requests.labels)

    async def observe(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        began = perf_counter()
        status, seconds, left = 500, None, False
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        traceparent = valid(next((text.decode("latin-1") for name, text in headers if name == _HEADER), None))
        call = None
        if tracing is not None and not scope["path"].startswith(_UNTRACED):
            call = tracing.call(scope["method"], traceparent)
            traceparent = call.traceparent
            # What follows reads the header, as if the caller had begun this span.
            scope["headers"] = [item for item in headers if item[0] != _HEADER]
            scope["headers"].append((_HEADER, traceparent.encode()))
        CURRENT.set(traceparent)

        async def sending(message: Message) -> None:
            nonlocal status, seconds
            if message["type"] == "http.response.start":
                status, seconds = CLIENT_LEFT if left else message["status"], perf_counter() - began
            await send(message)

        async def receiving() -> Message:
            nonlocal status, left
            message = await receive()
            if message["type"] == "http.disconnect" and seconds is None:
                status, left = CLIENT_LEFT, True
            return message

        try:
            await app(scope, receiving, sending)
        finally:
            route = scope.get("path_template") or "unmatched"
            elapsed = perf_counter() - began if seconds is None else seconds
            requests(scope["method"], route, status).observe(elapsed)
            if call is not None:
                call.end(route, status)

    return observe
