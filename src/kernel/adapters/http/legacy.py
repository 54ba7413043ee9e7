"""The seed's own route: a deposit by GET. It stays for its clients, and says what came after it."""

from urllib.parse import quote

from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

# RFC 9745: since when it is deprecated; RFC 8288: what to use instead.
DEPRECATED_SINCE = "@1767225600"


def deprecation_headers(successor: str) -> dict[str, str]:
    """`successor` is the path of the POST; a cache must never answer in place of a deposit."""
    return {
        "Deprecation": DEPRECATED_SINCE,
        "Link": f'<{successor}>; rel="successor-version"',
        "Cache-Control": "no-store",
    }


class Deprecated(ASGIMiddleware):
    """Puts the headers on every answer of a GET whose successor is the POST of the same path, on its problems
    too: use as `middleware=[Deprecated()]`."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        # Quoted, because the path is decoded, and whoever asks may have put a line break into it.
        headers = deprecation_headers(quote(scope["path"], safe="/:@"))

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableScopeHeaders.from_message(message).update(headers)
            await send(message)

        await next_app(scope, receive, send_with_headers)
