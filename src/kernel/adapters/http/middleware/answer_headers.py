"""Adds headers to answers: the headers that inner layers noted, and a private Cache-Control for reads."""

from collections.abc import Awaitable
from time import perf_counter

from litestar.types import ASGIApp, Message, Receive, Scope, Send

from kernel.adapters.answer_start import KEY, AnswerStart

# Headers of every answer, also of the server's own answers. Browsers must not guess another content type,
# show an answer in a frame, give it to another site, or tell another site its address.
CONSTANT = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
]
_CACHE_CONTROL = b"cache-control"
# A client may store an answer for itself, and revalidates it with its ETag, which saves the body. `no-store`
# would forbid storing. Problems get this header too, because by default even a 404 may be cached (RFC 9111).
_PRIVATE = (_CACHE_CONTROL, b"private, no-cache")


def start_answers(app: ASGIApp) -> ASGIApp:
    """The outermost layer. It puts an AnswerStart into the scope, and adds the noted headers to answers."""

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
