"""The headers of every answer: the id of its call and, on a read, that no shared cache may keep it."""

from collections.abc import Awaitable

from litestar.types import ASGIApp, Message, Receive, Scope, Send

from kernel.adapters.request_id import CURRENT, HEADER

_HEADER = HEADER.lower().encode()
_CACHE_CONTROL = b"cache-control"
# A client may keep an answer for itself, and asks whether it still holds: its ETag saves the body. `no-store`
# would forbid that too. Problems are meant as well: a 404 may be cached unless it says otherwise (RFC 9111).
_PRIVATE = (_CACHE_CONTROL, b"private, no-cache")


def tell(app: ASGIApp) -> ASGIApp:
    def telling(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        is_read = scope.get("method") in ("GET", "HEAD")

        def send_told(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                headers = list(message["headers"])
                if is_read and all(name.lower() != _CACHE_CONTROL for name, _ in headers):
                    headers.append(_PRIVATE)
                if own_id := CURRENT.get():
                    headers.append((_HEADER, own_id.encode()))
                message["headers"] = headers
            return send(message)

        return app(scope, receive, send_told)

    return telling
