from collections.abc import Mapping, Sequence
from typing import Any

from gateway.adapters.inbound.cookies import Cookie, Headers
from gateway.adapters.inbound.sealing import Sealing
from gateway.domain.session import SIGN_IN_WITHIN_S, SignIn

# Lax: the provider's redirect brings it, which comes from another site.
COOKIE = Cookie("shop-sign-in", "/session/callback", "Lax", SIGN_IN_WITHIN_S)
PURPOSE = "shop sign-in"


class SignInCookie:
    """What a browser keeps from the beginning of a sign-in to its end."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._sealing = Sealing(SignIn, keys, purpose=PURPOSE)

    def kept(self, begun: SignIn, scope: Mapping[str, Any]) -> Headers:
        return COOKIE.set(self._sealing.seal(begun), scope)

    def begun(self, scope: Mapping[str, Any]) -> SignIn | None:
        sealed = COOKIE.read(scope)
        return self._sealing.open(sealed) if sealed else None

    def removed(self, scope: Mapping[str, Any]) -> Headers:
        return COOKIE.removed(scope)
