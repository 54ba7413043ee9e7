"""Replacements for the identity provider and for the tokens, in a gateway without them."""

from gateway.domain.session import Grant, SignIn, SignInFailed
from kernel.domain.errors import NotFound, Unauthenticated
from kernel.ports.tokens import Verified


class NoProvider:
    """Refuses every sign-in: without a provider, only a bearer token can begin a session."""

    is_there = False

    async def begin(self, redirect_uri: str, return_to: str) -> tuple[SignIn, str]:
        raise _no_provider()

    async def accepts(self, issuer: str) -> bool:
        raise _no_provider()

    async def redeem(self, begun: SignIn, code: str) -> Grant:
        raise _no_provider()

    async def renew(self, refresh_token: str) -> Grant:
        raise SignInFailed("there is no provider")

    async def sign_out_url(self, id_token: str, back_to: str) -> str | None:
        return None


def _no_provider() -> NotFound:
    return NotFound("no_provider", "there is no provider to sign in with; SHOP_OIDC_CLIENT_ID names one")


class NoTokens:
    """Open mode has no tokens, so every token is refused."""

    def remembered(self, token: str) -> Verified | None:
        return None

    def says_service(self, token: str) -> bool:
        return False

    async def verify(self, token: str) -> Verified:
        raise Unauthenticated(with_token=True)
