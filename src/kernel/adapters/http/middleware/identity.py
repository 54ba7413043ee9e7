"""Who calls, and how often: asked once, around a whole application, so that no route and no fast path can
forget to.

Whatever is not named as open to all needs a token, however its path is spelled. A token that was not seen yet
is checked only while its address has not sent too many bad ones: a flood of those costs no signature.
"""

from collections.abc import Awaitable, Callable

from litestar.types import ASGIApp, Receive, Scope, Send

from kernel.adapters.http.conventions.caller import CURRENT
from kernel.adapters.http.conventions.client import subscriber_in
from kernel.adapters.http.conventions.problem import error_answer
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
_NEVER_COUNTED = "/health/"


@value
class CookieDoor:
    """Lets callers in by a cookie in the place of a token."""

    token_of: Callable[[Scope], Awaitable[str]]
    """The token that a call's cookie stands for. Raises Unauthenticated, Forbidden or Unavailable."""
    open_to_all: tuple[str, ...]
    """Paths that ask nobody who they are."""
    read_by_all: str
    """A path whose GET anybody may call, and whose route is told who calls, if that is known by a cookie."""


def identified(
    app: ASGIApp,
    tokens: Tokens | None,
    open_to_all: tuple[str, ...],
    *,
    door: CookieDoor | None = None,
    limits: RateLimits | None = None,
) -> ASGIApp:
    """`app` with the caller of each call; without `tokens`, anyone. Without `limits`, as often as they like.

    Of `open_to_all`, what ends in a slash is the beginning of paths, anything else a whole path.
    """
    paths = frozenset((*open_to_all, *(door.open_to_all if door else ())))
    beginnings = tuple(path for path in open_to_all if path.endswith("/") and path != "/")
    read_by_all = door.read_by_all if door else None

    async def identify(scope: Scope, receive: Receive, send: Send) -> None:
        verified, token = _OPEN, ""
        path = scope["path"]
        try:
            if tokens is not None and path not in paths and not path.startswith(beginnings):
                if path == read_by_all and scope.get("method") == "GET":
                    verified, token = await _known(scope, tokens, door)
                else:
                    token = await _token(scope, door)
                    verified = tokens.remembered(token) or await _verified(token, tokens, limits, scope)
            if limits is not None and not path.startswith(_NEVER_COUNTED):
                await limits.count(verified.caller, subscriber_in(scope))
        except (Forbidden, Unauthenticated, Unavailable, RateLimited) as error:
            await _refuse(await _counted(error, limits, scope), scope, send)
            return
        bearer.CURRENT.set(token)
        CURRENT.set(verified)
        await app(scope, receive, send)

    return identify


async def _known(scope: Scope, tokens: Tokens, door: CookieDoor | None) -> tuple[Verified, str]:
    """Whom a cookie speaks of; anyone where none does."""
    try:
        token = await door.token_of(scope) if door else ""
        return tokens.remembered(token) or await tokens.verify(token), token
    except Unauthenticated:
        return _OPEN, ""


async def _verified(token: str, tokens: Tokens, limits: RateLimits | None, scope: Scope) -> Verified:
    """Services have no limit, so what may be theirs is checked in any case, which takes a hash only."""
    if limits is not None and not tokens.says_service(token):
        await limits.require_room(subscriber_in(scope))
    return await tokens.verify(token)


async def _counted(error: ShopError, limits: RateLimits | None, scope: Scope) -> ShopError:
    """What a call is refused with: one of nobody knows whom counts, and may be one too many."""
    if limits is not None and isinstance(error, Unauthenticated):
        try:
            await limits.count(ANYONE, subscriber_in(scope))
        except RateLimited as too_many:
            return too_many
    return error


async def _token(scope: Scope, door: CookieDoor | None) -> str:
    """That of the header, else of the cookie. Raises Unauthenticated where there is none."""
    for name, text in scope["headers"]:
        if name == b"authorization":
            if text[: len(_SCHEME)].lower() == _SCHEME:
                return text[len(_SCHEME) :].strip().decode("latin-1")
            raise Unauthenticated()
    if door is None:
        raise Unauthenticated()
    return await door.token_of(scope)


async def _refuse(error: ShopError, scope: Scope, send: Send) -> None:
    await send_answer(error_answer(error, scope["path"]), send)
