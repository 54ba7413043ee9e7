from kernel.domain.caller import Role
from kernel.domain.errors import Unauthenticated
from kernel.ports.clock import Clock
from kernel.ports.tokens import Verified


class MemoryTokens:
    """Believes the tokens that it was given."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.known: dict[str, Verified] = {}
        self._remembered: set[str] = set()

    def remembered(self, token: str) -> Verified | None:
        return self._valid(token) if token in self._remembered else None

    def says_service(self, token: str) -> bool:
        verified = self.known.get(token)
        return verified is not None and verified.caller.role is Role.SERVICE

    async def verify(self, token: str) -> Verified:
        verified = self._valid(token)
        if verified is None:
            raise Unauthenticated(with_token=True)
        self._remembered.add(token)
        return verified

    def _valid(self, token: str) -> Verified | None:
        verified = self.known.get(token)
        return verified if verified and self._clock.now().timestamp() < verified.until else None
