from typing import Protocol

from gateway.domain.session import Grant, SignIn


class Provider(Protocol):
    """The identity provider that people sign in with (OpenID Connect). All methods but the last raise
    Unavailable if it does not answer. `begin` and `accepts` raise NotFound if there is no provider."""

    @property
    def is_there(self) -> bool: ...

    async def begin(self, redirect_uri: str, return_to: str) -> tuple[SignIn, str]:
        """A new sign-in, and the URL of the provider where the browser continues it."""
        ...

    async def accepts(self, issuer: str) -> bool:
        """Whether a redirect that names this issuer, or none, can come from the provider."""
        ...

    async def redeem(self, begun: SignIn, code: str) -> Grant:
        """The tokens for the code. Raises SignInFailed when the code or its ID token is not valid."""
        ...

    async def renew(self, refresh_token: str) -> Grant:
        """New tokens for the refresh token. Raises SignInFailed if the refresh token is no longer valid."""
        ...

    async def sign_out_url(self, id_token: str, back_to: str) -> str | None:
        """The URL where the browser signs out; None when the provider has none, or does not answer."""
        ...
