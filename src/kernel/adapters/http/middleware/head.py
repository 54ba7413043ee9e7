"""Answers HEAD on every route that has GET (RFC 9110, section 9.3.2)."""

import asyncio
from collections.abc import Awaitable
from typing import cast

from litestar.types import (
    ASGIApp,
    HTTPDisconnectEvent,
    HTTPReceiveMessage,
    HTTPRequestEvent,
    HTTPResponseBodyEvent,
    Message,
    Receive,
    Scope,
    Send,
)

from kernel.adapters.http.conventions.by_head import BY_HEAD

_NO_BODY = HTTPRequestEvent(type="http.request", body=b"", more_body=False)
_GONE = HTTPDisconnectEvent(type="http.disconnect")
_END = HTTPResponseBodyEvent(type="http.response.body", body=b"", more_body=False)


def answer_head(app: ASGIApp) -> ASGIApp:
    """Answers HEAD like GET, without the body.

    After the headers, the application receives `http.disconnect`, so that an endless stream stops.
    """

    def dispatch(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        return (answer_as_get if scope.get("method") == "HEAD" else app)(scope, receive, send)

    async def answer_as_get(scope: Scope, receive: Receive, send: Send) -> None:
        asked = iter([_NO_BODY])
        answered = asyncio.Event()

        async def receive_nothing() -> HTTPReceiveMessage:
            if (request := next(asked, None)) is not None:
                return request
            await answered.wait()
            return _GONE

        async def send_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                await send(_END)
                answered.set()

        await app(cast(Scope, {**scope, "method": "GET", BY_HEAD: True}), receive_nothing, send_headers)

    return dispatch
