"""The headers of every answer: those that layers within note; on a read, that no shared cache may keep it."""

from collections.abc import Awaitable
from time import perf_counter

from litestar.types import ASGIApp, Message, Receive, Scope, Send

from kernel.adapters.answer_start import KEY, AnswerStart

# Of every answer, also of those that the server gives by itself: no browser takes an answer for a script or a
# page, shows it in a frame, lends it to another site, or tells another site its address.
CONSTANT = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
]
_CACHE_CONTROL = b"cache-control"
# A client may keep an answer for itself, and asks whether it still holds: its ETag saves the body. `no-store`
# would forbid that too. Problems are meant as well: a 404 may be cached unless it says otherwise (RFC 9111).
_PRIVATE = (_CACHE_CONTROL, b"private, no-cache")


def start_answers(app: ASGIApp) -> ASGIApp:
    """The outermost layer."""

    def starting(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        start = AnswerStart()
        scope[KEY] = start  # type: ignore[literal-required]  # a key of ours
        is_read = scope.get("method") in ("GET", "HEAD")

        def send_started(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                start.status, start.at = message["status"], perf_counter()
                headers = [*message["headers"], *start.headers]
                if is_read and all(name.lower() != _CACHE_CONTROL for name, _ in headers):
                    headers.append(_PRIVATE)
                message["headers"] = headers
            return send(message)

        return app(scope, receive, send_started)

    return starting
