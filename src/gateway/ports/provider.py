from typing import Protocol

from gateway.domain.session import Grant, SignIn


class Provider(Protocol):
    """Who knows the people (OpenID Connect). All methods but the last raise Unavailable where the provider is
    away; the first two raise NotFound where there is none."""

    @property
    def is_there(self) -> bool: ...

    async def begin(self, redirect_uri: str, return_to: str) -> tuple[SignIn, str]:
        """A new sign-in, and the URL where it goes on."""
        ...

    async def accepts(self, issuer: str) -> bool:
        """Whether a redirect that names this issuer, or none, can be the provider's."""
        ...

    async def redeem(self, begun: SignIn, code: str) -> Grant:
        """What the code is worth. Raises SignInFailed where the code or its ID token is not good."""
        ...

    async def renew(self, refresh_token: str) -> Grant:
        """Raises SignInFailed where the token is not good any more."""
        ...

    async def sign_out_url(self, id_token: str, back_to: str) -> str | None:
        """Where the browser signs out; None where the provider has no such place, or does not answer."""
        ...
