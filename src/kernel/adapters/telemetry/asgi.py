"""ASGI middleware that measures and traces each call, and sets the call's trace and request id."""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from time import perf_counter
from typing import Any

from kernel.adapters import request_id
from kernel.adapters.answer_start import answer_start
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
# Probes and scrapes come every few seconds and are not worth a trace.
_UNTRACED = ("/health/", "/metrics")

# The status in the metrics if the client left before the answer. It is never sent.
CLIENT_LEFT = 499


def observed(app: App, telemetry: Telemetry) -> App:
    tracing = telemetry.tracing
    requests = cache(telemetry.metrics.requests.labels)

    async def observe(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        began = perf_counter()
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        given = _once(headers)
        header = given.get(_HEADER)
        trace = valid(header.decode("latin-1")) if header else ""
        call = None
        if tracing is not None and not scope["path"].startswith(_UNTRACED):
            call = tracing.call(scope["method"], trace)
            trace = call.traceparent
        trace = trace or traceparent(None)
        # In this header, the application finds the call's span, or its trace if the call has no span.
        others = [item for item in headers if item[0] != _HEADER]
        scope["headers"] = [*others, (_HEADER, trace.encode())]
        CURRENT.set(trace)
        header = given.get(_REQUEST_ID)
        own_id = (header and request_id.valid(header.decode("latin-1"))) or request_id.trace_id(trace)
        request_id.CURRENT.set(own_id)
        start = answer_start(scope)
        start.headers.append((_REQUEST_ID, own_id.encode()))

        try:
            await app(scope, receive, send)
        finally:
            route = scope.get("path_template") or "unmatched"
            elapsed = (start.at or perf_counter()) - began
            status = CLIENT_LEFT if start.client_left else start.status or 500
            requests(scope["method"], route, status).observe(elapsed)
            if logger.isEnabledFor(logging.DEBUG):
                fields = {"method": scope["method"], "route": route, "status": status}
                logger.debug("answered", extra={**fields, "seconds": round(elapsed, 6)})
            if call is not None:
                call.end(route, status)

    return observe


def _once(headers: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The headers that occur once. A header that occurs more than once is left out."""
    given = dict(headers)
    if len(given) < len(headers):
        counts = Counter(name for name, _ in headers)
        given = {name: text for name, text in given.items() if counts[name] == 1}
    return given
