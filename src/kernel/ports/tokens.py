from typing import Protocol

from kernel.domain.caller import Caller
from kernel.domain.value import value


@value
class Verified:
    """The caller that a token names, and until when it is valid, in seconds since 1970."""

    caller: Caller
    until: float


class Tokens(Protocol):
    """Checks the tokens that callers bring."""

    def remembered(self, token: str) -> Verified | None:
        """The result of an earlier `verify`, if it is still known and valid; costs next to nothing."""
        ...

    def says_service(self, token: str) -> bool:
        """Whether the token claims to be a service's; nothing is verified."""
        ...

    async def verify(self, token: str) -> Verified:
        """Raises Unauthenticated for a token that is not valid, and Unavailable where that cannot be told."""
        ...
