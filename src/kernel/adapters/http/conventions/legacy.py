"""Marks a GET that changes something as deprecated, and names its successor."""

from urllib.parse import quote

from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send


class Deprecated(ASGIMiddleware):
    """Adds Deprecation, Link and Cache-Control to every answer of a GET, problems included. The link leads to
    the successor, which is POST on the same path. Use it as `middleware=[Deprecated("@1767225600")]`."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, since: str) -> None:
        """`since` is a date in a structured field: `@` and the seconds since 1970 (RFC 9745)."""
        self._since = since

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        # The path is decoded and may contain a line break, so it is quoted again.
        successor = quote(scope["path"], safe="/:@")
        headers = {
            "Deprecation": self._since,
            "Link": f'<{successor}>; rel="successor-version"',  # RFC 8288
            "Cache-Control": "no-store",  # an answer from a cache would change nothing
        }

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableScopeHeaders.from_message(message).update(headers)
            await send(message)

        await next_app(scope, receive, send_with_headers)
