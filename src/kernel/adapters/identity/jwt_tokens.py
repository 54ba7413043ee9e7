"""Verifies the bearer token of a call, and returns the caller: a person or a service."""

from contextlib import suppress
from hashlib import sha256

from kernel.adapters.identity.services import TYPE, ServiceTokens
from kernel.adapters.identity.users import UserTokens
from kernel.adapters.identity.verifying import Checked, header_of
from kernel.domain.errors import Unauthenticated
from kernel.ports.clock import Clock
from kernel.ports.tokens import Verified

REMEMBERED_MAX = 10_000


class JwtTokens:
    """Caches verified tokens by hash: 10,000 at most, each until it expires or its signing key is removed."""

    def __init__(self, users: UserTokens, services: ServiceTokens, clock: Clock) -> None:
        self._users = users
        self._services = services
        self._clock = clock
        self._remembered: dict[bytes, Checked] = {}

    def remembered(self, token: str) -> Verified | None:
        checked = self._remembered.get(sha256(token.encode()).digest())
        if checked is None or not checked.is_trusted():
            return None
        return checked.verified if self._clock.now().timestamp() < checked.verified.until else None

    def says_service(self, token: str) -> bool:
        with suppress(Unauthenticated):
            return header_of(token).typ == TYPE
        return False

    async def verify(self, token: str) -> Verified:
        header = header_of(token)
        checks = self._services if header.typ == TYPE else self._users
        checked = await checks.check(token, header)
        if len(self._remembered) >= REMEMBERED_MAX:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[sha256(token.encode()).digest()] = checked
        return checked.verified
