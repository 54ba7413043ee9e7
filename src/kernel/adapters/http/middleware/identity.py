"""Who calls: asked once, around a whole application, so that no route and no fast path can forget to.

Whatever is not named as open to all needs a token, however its path is spelled.
"""

from litestar.types import ASGIApp, Receive, Scope, Send

from kernel.adapters.http.conventions.caller import CURRENT
from kernel.adapters.http.conventions.problem import error_answer
from kernel.adapters.http.middleware.fast_path import send_answer
from kernel.adapters.identity import bearer
from kernel.domain.caller import ANYONE
from kernel.domain.errors import ShopError, Unauthenticated, Unavailable
from kernel.ports.tokens import Tokens, Verified

_OPEN = Verified(ANYONE, float("inf"))
_SCHEME = b"bearer "


def identified(app: ASGIApp, tokens: Tokens | None, open_to_all: tuple[str, ...]) -> ASGIApp:
    """`app` with the caller of each call; without `tokens`, anyone.

    Of `open_to_all`, what ends in a slash is the beginning of paths, anything else a whole path.
    """
    paths = frozenset(open_to_all)
    beginnings = tuple(path for path in open_to_all if path.endswith("/") and path != "/")

    async def identify(scope: Scope, receive: Receive, send: Send) -> None:
        verified, token = _OPEN, ""
        path = scope["path"]
        if tokens is not None and path not in paths and not path.startswith(beginnings):
            try:
                token = _token(scope)
                verified = tokens.remembered(token) or await tokens.verify(token)
            except (Unauthenticated, Unavailable) as error:
                await _refuse(error, scope, send)
                return
        bearer.CURRENT.set(token)
        CURRENT.set(verified)
        await app(scope, receive, send)

    return identify


def _token(scope: Scope) -> str:
    """Raises Unauthenticated where there is none."""
    for name, text in scope["headers"]:
        if name == b"authorization":
            if text[: len(_SCHEME)].lower() == _SCHEME:
                return text[len(_SCHEME) :].strip().decode("latin-1")
            raise Unauthenticated()
    raise Unauthenticated()


async def _refuse(error: ShopError, scope: Scope, send: Send) -> None:
    await send_answer(error_answer(error, scope["path"]), send)
