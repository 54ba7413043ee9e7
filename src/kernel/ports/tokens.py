from typing import Protocol

from kernel.domain.caller import Caller
from kernel.domain.value import value


@value
class Verified:
    """Whom a token speaks of, and until when, in seconds since 1970."""

    caller: Caller
    until: float


class Tokens(Protocol):
    """Checks the tokens that callers bring."""

    def remembered(self, token: str) -> Verified | None:
        """What is still known of a token that was verified before; costs next to nothing."""
        ...

    def says_service(self, token: str) -> bool:
        """Whether it says that it is the token of a service, which nobody has checked yet."""
        ...

    async def verify(self, token: str) -> Verified:
        """Raises Unauthenticated for a token that is not believed, and Unavailable where nobody can tell."""
        ...
