"""Around a whole application: rate, errors and duration of its routes; trace, span and id of a call."""

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from time import perf_counter
from typing import Any

from kernel.adapters import request_id
from kernel.adapters.telemetry.telemetry import Telemetry
from kernel.adapters.trace_context import CURRENT, traceparent, valid

Scope = MutableMapping[str, Any]
Message = Any
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]

logger = logging.getLogger(__name__)

_HEADER = b"traceparent"
_REQUEST_ID = request_id.HEADER.lower().encode()
# What is asked every few seconds for ever is of no interest as a trace.
_UNTRACED = ("/health/", "/metrics")

# Recorded where the client left before its request was complete; no answer has this status.
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
        # A header that comes twice is ignored.
        told = [text.decode("latin-1") for name, text in headers if name == _HEADER]
        ids = [text.decode("latin-1") for name, text in headers if name == _REQUEST_ID]
        trace = valid(told[0]) if len(told) == 1 else ""
        call = None
        if tracing is not None and not scope["path"].startswith(_UNTRACED):
            call = tracing.call(scope["method"], trace)
            trace = call.traceparent
        trace = trace or traceparent(None)
        # The application reads the header as if the caller had begun this trace, or this span of it.
        scope["headers"] = [item for item in headers if item[0] != _HEADER]
        scope["headers"].append((_HEADER, trace.encode()))
        CURRENT.set(trace)
        own_id = request_id.valid(ids[0]) if len(ids) == 1 else ""
        request_id.CURRENT.set(own_id or request_id.trace_id(trace))

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
            if logger.isEnabledFor(logging.DEBUG):
                call_told = {"method": scope["method"], "route": route, "status": status}
                logger.debug("answered", extra={**call_told, "seconds": round(elapsed, 6)})
            if call is not None:
                call.end(route, status)

    return observe
