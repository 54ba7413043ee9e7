"""OPTIONS, wherever there is anything (RFC 9110, section 9.3.7)."""

from collections.abc import Awaitable
from typing import cast

from litestar.types import ASGIApp, Message, Receive, Scope, Send


def answer_options(app: ASGIApp) -> ASGIApp:
    """Litestar's own answer knows only the method that came first to a path, but its refusal knows them all.

    The preflights of CORS are left to who answers them.
    """

    def unless_options(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        asked = scope.get("method") == "OPTIONS" and not _is_preflight(scope)
        return (as_unknown if asked else app)(scope, receive, send)

    async def as_unknown(scope: Scope, receive: Receive, send: Send) -> None:
        refused = False

        async def send_allowed(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start" and message["status"] == 405:
                refused = True
                allow = [(name, value) for name, value in message["headers"] if name.lower() == b"allow"]
                await send({**message, "status": 204, "headers": allow})
            elif message["type"] == "http.response.body" and refused:
                await send({**message, "body": b""})
            else:
                await send(message)

        await app(cast(Scope, {**scope, "method": "UNKNOWN"}), receive, send_allowed)

    return unless_options


def _is_preflight(scope: Scope) -> bool:
    return any(name == b"access-control-request-method" for name, _ in scope["headers"])
