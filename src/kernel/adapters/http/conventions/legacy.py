"""Marks a GET that changes something as deprecated, and names its successor."""

from urllib.parse import quote

from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send


class Deprecated(ASGIMiddleware):
    """Adds the headers Deprecation and Link to every answer to a GET, problems included. The link names the
    POST of the same path as the successor. Use it as `middleware=[Deprecated("@1767225600")]`."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, since: str) -> None:
        """`since` is a date of structured headers, in seconds since 1970 (RFC 9745)."""
        self._since = since

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        # Quoted, because the path is decoded, and may hold a line break.
        successor = quote(scope["path"], safe="/:@")
        headers = {
            "Deprecation": self._since,
            "Link": f'<{successor}>; rel="successor-version"',  # RFC 8288
            "Cache-Control": "no-store",  # a cache must never answer instead of changing something
        }

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableScopeHeaders.from_message(message).update(headers)
            await send(message)

        await next_app(scope, receive, send_with_headers)
