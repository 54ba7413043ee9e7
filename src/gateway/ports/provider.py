from typing import Protocol

from gateway.domain.session import Grant, SignIn


class Provider(Protocol):
    """The identity provider that people sign in with (OpenID Connect). All methods but the last raise
    Unavailable where it is away; `begin` and `accepts` raise NotFound where there is none."""

    @property
    def is_there(self) -> bool: ...

    async def begin(self, redirect_uri: str, return_to: str) -> tuple[SignIn, str]:
        """A new sign-in, and the URL where the browser continues it."""
        ...

    async def accepts(self, issuer: str) -> bool:
        """Whether a redirect that names this issuer, or none, can come from the provider."""
        ...

    async def redeem(self, begun: SignIn, code: str) -> Grant:
        """The tokens for the code. Raises SignInFailed where the code or its ID token is not valid."""
        ...

    async def renew(self, refresh_token: str) -> Grant:
        """Raises SignInFailed where the refresh token is no longer valid."""
        ...

    async def sign_out_url(self, id_token: str, back_to: str) -> str | None:
        """The URL where the browser signs out; None where the provider has none, or does not answer."""
        ...
