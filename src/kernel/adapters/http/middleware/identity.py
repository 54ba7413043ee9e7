"""Authentication and rate limits, around a whole application, so that no route and no fast path can forget
them.

Every path that is not named as open to all needs a token, however the path is spelled. A token that was not
seen yet is verified only while its address has not sent too many bad ones, so a flood of those costs no
signature check.
"""

from collections.abc import Awaitable, Callable

from litestar.types import ASGIApp, Receive, Scope, Send

from kernel.adapters.http.conventions.caller import CURRENT
from kernel.adapters.http.conventions.client import subscriber_in
from kernel.adapters.http.conventions.problem import error_answer, instance_of
from kernel.adapters.http.middleware.fast_path import send_answer
from kernel.adapters.identity import bearer
from kernel.domain.caller import ANYONE
from kernel.domain.errors import Forbidden, RateLimited, ShopError, Unauthenticated, Unavailable
from kernel.domain.value import value
from kernel.ports.rate_limits import RateLimits
from kernel.ports.tokens import Tokens, Verified

_OPEN = Verified(ANYONE, float("inf"))
_SCHEME = b"bearer "
# An orchestrator that gets no answer ends the process.
_HEALTH = "/health/"


@value
class CookieAuthentication:
    """Authentication by a cookie in the place of a bearer token."""

    token_of: Callable[[Scope], Awaitable[str]]
    """The token that a call's cookie stands for. Raises Unauthenticated, Forbidden or Unavailable."""
    open_to_all: tuple[str, ...]
    """Paths that need neither."""
    read_by_all: str
    """A path whose GET anybody may call; its route learns the caller from the cookie, where there is one."""
    page_files: str
    """The prefix of the pages' files. They are open to all and never counted: a page loads many at once."""


def identified(
    app: ASGIApp,
    tokens: Tokens | None,
    open_to_all: tuple[str, ...],
    *,
    cookies: CookieAuthentication | None = None,
    limits: RateLimits | None = None,
) -> ASGIApp:
    """`app`, which knows the caller of each call. Without `tokens` the caller is anyone; without `limits`
    nothing is counted.

    In `open_to_all`, a path that ends in a slash is a prefix, any other a whole path.
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
            await _refuse(await _counted(error, limits, scope), scope, send)
            return
        bearer.CURRENT.set(token)
        CURRENT.set(verified)
        await app(scope, receive, send)

    return identify


async def _known(scope: Scope, tokens: Tokens, cookies: CookieAuthentication | None) -> tuple[Verified, str]:
    """The caller of the cookie's session; anyone where there is none."""
    try:
        token = await cookies.token_of(scope) if cookies else ""
        return tokens.remembered(token) or await tokens.verify(token), token
    except Unauthenticated:
        return _OPEN, ""


async def _verified(token: str, tokens: Tokens, limits: RateLimits | None, scope: Scope) -> Verified:
    """Services have no limit, so a token that may be theirs is verified in any case; that costs one hash."""
    if limits is not None and not tokens.says_service(token):
        await limits.require_room(subscriber_in(scope))
    return await tokens.verify(token)


async def _counted(error: ShopError, limits: RateLimits | None, scope: Scope) -> ShopError:
    """What the call is refused with. A call without a valid token counts against its address, and so does one
    by a cookie that a page of another site may have sent; it may be one call too many."""
    if limits is not None and isinstance(error, (Unauthenticated, Forbidden)):
        try:
            await limits.count(ANYONE, subscriber_in(scope))
        except RateLimited as too_many:
            return too_many
    return error


async def _token(scope: Scope, cookies: CookieAuthentication | None) -> str:
    """The token of the header, else of the cookie. Raises Unauthenticated where there is none."""
    for name, text in scope["headers"]:
        if name == b"authorization":
            if text[: len(_SCHEME)].lower() == _SCHEME:
                return text[len(_SCHEME) :].strip().decode("latin-1")
            raise Unauthenticated()
    if cookies is None:
        raise Unauthenticated()
    return await cookies.token_of(scope)


async def _refuse(error: ShopError, scope: Scope, send: Send) -> None:
    await send_answer(error_answer(error, instance_of(scope)), send)
