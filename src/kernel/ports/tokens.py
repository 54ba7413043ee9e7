from typing import Protocol

from kernel.domain.caller import Caller
from kernel.domain.value import value


@value
class Verified:
    """The caller that a token names. `until` is when the token expires, in seconds since 1970."""

    caller: Caller
    until: float


class Tokens(Protocol):
    """Verifies the bearer tokens of callers."""

    def remembered(self, token: str) -> Verified | None:
        """Returns the cached result of an earlier `verify` if the token is still valid, else None."""

    def says_service(self, token: str) -> bool:
        """Returns whether the token claims to be a service's token. Nothing is verified."""

    async def verify(self, token: str) -> Verified:
        """Raises Unauthenticated if the token is invalid, and Unavailable if it cannot be verified now."""
