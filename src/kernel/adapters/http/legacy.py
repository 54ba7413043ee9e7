"""The original route of a deposit, by GET: it stays for its clients, and says what came after it."""

from urllib.parse import quote

from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

# When it was deprecated (RFC 9745).
DEPRECATED_SINCE = "@1767225600"


class Deprecated(ASGIMiddleware):
    """Puts the headers on every answer of a GET whose successor is the POST of the same path, on its problems
    too: use as `middleware=[Deprecated()]`."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        # Quoted, because the path is decoded, and whoever asks may have put a line break into it.
        successor = quote(scope["path"], safe="/:@")
        headers = {
            "Deprecation": DEPRECATED_SINCE,
            "Link": f'<{successor}>; rel="successor-version"',  # RFC 8288
            "Cache-Control": "no-store",  # a cache must never answer in place of a deposit
        }

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableScopeHeaders.from_message(message).update(headers)
            await send(message)

        await next_app(scope, receive, send_with_headers)
