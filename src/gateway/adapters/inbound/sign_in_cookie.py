"""The cookies that keep an unfinished sign-in in the browser."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from gateway.adapters.inbound.cookies import Cookie, Headers, base_url_of
from gateway.adapters.inbound.sealing import Sealing
from gateway.domain.session import SIGN_IN_WITHIN_S, SignIn

# Lax, so that the browser sends the cookie when the provider, which is another site, redirects to the shop.
COOKIE = Cookie("shop-sign-in", "/session/callback", "Lax", SIGN_IN_WITHIN_S)
# Another host of the same domain can set COOKIE to a sign-in that an attacker began. That host cannot
# set WITNESS, because of the prefix `__Host-`. WITNESS holds a digest of the sign-in that this browser began.
WITNESS = Cookie("shop-sign-in-witness", "/", "Lax", SIGN_IN_WITHIN_S)
PURPOSE = "shop sign-in"


class SignInCookie:
    """Keeps a sign-in in the browser until the provider sends the browser back."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._sealing = Sealing(SignIn, keys, purpose=PURPOSE)

    def set(self, begun: SignIn, scope: Mapping[str, Any]) -> Headers:
        witness = WITNESS.set(_digest(begun), scope) if base_url_of(scope).is_secure else []
        return [*COOKIE.set(self._sealing.seal(begun), scope), *witness]

    def read(self, scope: Mapping[str, Any]) -> SignIn | None:
        sealed = COOKIE.read(scope)
        begun = self._sealing.open(sealed) if sealed else None
        if begun is not None and base_url_of(scope).is_secure and WITNESS.read(scope) != _digest(begun):
            return None
        return begun

    def removed(self, scope: Mapping[str, Any]) -> Headers:
        return [*COOKIE.removed(scope), *WITNESS.removed(scope)]


def _digest(begun: SignIn) -> str:
    return sha256(begun.state.encode()).hexdigest()
