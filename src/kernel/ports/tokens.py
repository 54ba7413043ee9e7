from typing import Protocol

from kernel.domain.caller import Caller
from kernel.domain.value import value


@value
class Verified:
    """The caller that a token names, and when the token expires, in seconds since 1970."""

    caller: Caller
    until: float


class Tokens(Protocol):
    """Verifies the bearer tokens of callers."""

    def remembered(self, token: str) -> Verified | None:
        """The cached result of an earlier `verify`, if the token is still valid."""

    def says_service(self, token: str) -> bool:
        """Whether the token claims to be a service's; nothing is verified."""

    async def verify(self, token: str) -> Verified:
        """Raises Unauthenticated if the token is not valid, and Unavailable if it cannot be verified now."""
