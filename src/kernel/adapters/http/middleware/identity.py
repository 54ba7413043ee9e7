"""Authentication and rate limits for a whole application, so that no route and no fast path can forget them.

Every path that is not listed as open to all needs a token, however the path is spelled. After too many bad
tokens from one address, its new tokens are refused unverified, so that a flood costs no signature checks.
"""

from collections.abc import Awaitable, Callable

from litestar.types import ASGIApp, Receive, Scope, Send

from kernel.adapters.http.conventions.caller import CURRENT
from kernel.adapters.http.middleware.fast_path import send_problem
from kernel.adapters.identity import bearer
from kernel.adapters.networks import subscriber_in
from kernel.domain.caller import ANYONE
from kernel.domain.errors import Forbidden, RateLimited, ShopError, Unauthenticated, Unavailable
from kernel.domain.value import value
from kernel.ports.rate_limits import RateLimits
from kernel.ports.tokens import Tokens, Verified

_OPEN = Verified(ANYONE, float("inf"))
_SCHEME = b"bearer "
# Health calls are never limited, because an orchestrator ends a process that does not answer them.
_HEALTH = "/health/"


@value
class CookieAuthentication:
    """Authentication by a session cookie instead of a bearer token."""

    token_of: Callable[[Scope], Awaitable[str]]
    """Returns the token of a call's session cookie. Raises Unauthenticated, Forbidden or Unavailable."""
    open_to_all: tuple[str, ...]
    """Paths that need neither a token nor a cookie."""
    read_by_all: str
    """A path whose GET anybody may call. A call with a session cookie has the caller of the session."""
    page_files: str
    """The path prefix of the pages' files. These files are open to all. A page loads many, so none counts."""


def identified(
    app: ASGIApp,
    tokens: Tokens | None,
    open_to_all: tuple[str, ...],
    *,
    cookies: CookieAuthentication | None = None,
    limits: RateLimits | None = None,
) -> ASGIApp:
    """Sets the caller of each call for `app`. If `tokens` is None, every caller is ANYONE; if `limits` is
    None, no call is counted.

    In `open_to_all`, a path that ends in a slash is a prefix, except `/`. Other paths have to match exactly.
    """
    paths = frozenset((*open_to_all, *(cookies.open_to_all if cookies else ())))
    page_files = (cookies.page_files,) if cookies else ()
    beginnings = (*(path for path in open_to_all if path.endswith("/") and path != "/"), *page_files)
    never_counted = (_HEALTH, *page_files)
    read_by_all = cookies.read_by_all if cookies else None

    async def identify(scope: Scope, receive: Receive, send: Send) -> None:
        verified, token = _OPEN, ""
        path = scope["path"]
        try:
            if tokens is not None and path not in paths and not path.startswith(beginnings):
                if path == read_by_all and scope.get("method") == "GET":
                    verified, token = await _known(scope, tokens, cookies)
                else:
                    token = await _token(scope, cookies)
                    verified = tokens.remembered(token) or await _verified(token, tokens, limits, scope)
            if limits is not None and not path.startswith(never_counted):
                await limits.count(verified.caller, subscriber_in(scope))
        except (Forbidden, Unauthenticated, Unavailable, RateLimited) as error:
            await send_problem(await _counted(error, limits, scope), scope, send)
            return
        bearer.CURRENT.set(token)
        CURRENT.set(verified)
        await app(scope, receive, send)

    return identify


async def _known(scope: Scope, tokens: Tokens, cookies: CookieAuthentication | None) -> tuple[Verified, str]:
    """The caller and token of the cookie's session; ANYONE and an empty token if there is no session."""
    try:
        token = await cookies.token_of(scope) if cookies else ""
        return tokens.remembered(token) or await tokens.verify(token), token
    except Unauthenticated:
        return _OPEN, ""


async def _verified(token: str, tokens: Tokens, limits: RateLimits | None, scope: Scope) -> Verified:
    """Verifies a token if its address has calls left. Service tokens are always verified, as it is cheap."""
    if limits is not None and not tokens.says_service(token):
        await limits.require_room(subscriber_in(scope))
    return await tokens.verify(token)


async def _counted(error: ShopError, limits: RateLimits | None, scope: Scope) -> ShopError:
    """Returns the error to answer with. A call without a valid token, or with a cookie that another site's
    page may have sent, is counted for its address. If that is one call too many, the error is RateLimited."""
    if limits is not None and isinstance(error, (Unauthenticated, Forbidden)):
        try:
            await limits.count(ANYONE, subscriber_in(scope))
        except RateLimited as too_many:
            return too_many
    return error


async def _token(scope: Scope, cookies: CookieAuthentication | None) -> str:
    """The token of the header Authorization, or of the session cookie. Raises Unauthenticated without one."""
    for name, text in scope["headers"]:
        if name == b"authorization":
            if text[: len(_SCHEME)].lower() == _SCHEME:
                return text[len(_SCHEME) :].strip().decode("latin-1")
            raise Unauthenticated()
    if cookies is None:
        raise Unauthenticated()
    return await cookies.token_of(scope)
