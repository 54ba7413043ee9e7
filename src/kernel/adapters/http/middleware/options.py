"""Answers OPTIONS on every route (RFC 9110, section 9.3.7)."""

from collections.abc import Awaitable
from typing import cast

from litestar.types import ASGIApp, Message, Receive, Scope, Send

# The inner application gets this method instead of OPTIONS.
METHOD_OF_OPTIONS = "UNKNOWN"


def answer_options(app: ASGIApp) -> ASGIApp:
    """Answers OPTIONS with 204 and the header Allow of Litestar's 405 for an unknown method, which names all
    methods of the path. Litestar's own answer to OPTIONS names only the methods of one handler."""

    def unless_options(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        return (as_unknown if scope.get("method") == "OPTIONS" else app)(scope, receive, send)

    async def as_unknown(scope: Scope, receive: Receive, send: Send) -> None:
        refused = False

        async def send_allowed(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start" and message["status"] == 405:
                refused = True
                headers = [pair for pair in message["headers"] if not pair[0].lower().startswith(b"content-")]
                await send({**message, "status": 204, "headers": headers})
            elif message["type"] == "http.response.body" and refused:
                await send({**message, "body": b""})
            else:
                await send(message)

        await app(cast(Scope, {**scope, "method": METHOD_OF_OPTIONS}), receive, send_allowed)

    return unless_options
