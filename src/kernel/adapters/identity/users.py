"""Checks the access tokens of people, which a token provider signs (RFC 9068)."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated

from msgspec import Meta, Struct

from kernel.adapters.identity.key_ring import KeyRing
from kernel.adapters.identity.verifying import LEEWAY_S, Checked, Header, claim_rules, claims_of
from kernel.domain.caller import Caller, Role
from kernel.domain.errors import Unauthenticated
from kernel.domain.ids import parse_user_id
from kernel.ports.clock import Clock
from kernel.ports.tokens import Verified

OPERATOR, VIEWER = "shop:operator", "shop:viewer"
# 9999-12-31, the last day that `datetime` can hold. A larger `exp` must be in milliseconds, and is refused.
EXP_MAX = 253_402_214_400


class _Claims(Struct):
    sub: str
    exp: Annotated[int, Meta(le=EXP_MAX)] | Annotated[float, Meta(le=EXP_MAX)]
    scope: str | list[str] = ""
    roles: str | list[str] = ""

    @property
    def role(self) -> Role:
        named = {*_words(self.scope), *_words(self.roles)}
        if OPERATOR in named:
            return Role.OPERATOR
        return Role.VIEWER if VIEWER in named else Role.USER


def _words(claim: str | list[str]) -> Sequence[str]:
    """The words of a claim. Spaces separate them, no other white space does (RFC 6749, section 3.3)."""
    return claim.split(" ") if isinstance(claim, str) else claim


class UserTokens:
    def __init__(self, keys: KeyRing, issuer: str, audience: str, clock: Clock) -> None:
        self._keys = keys
        self._rules = claim_rules(clock, issuer=issuer, audience=audience)

    async def check(self, token: str, header: Header) -> Checked:
        """Raises Unauthenticated for a bad token, and Unavailable if no key was ever fetched."""
        key = await self._keys.find(header.kid, header.alg)
        if key is None:
            raise Unauthenticated(with_token=True)
        claims = claims_of(token, key.key, [header.alg], self._rules, _Claims)
        try:
            caller = Caller(claims.role, parse_user_id(claims.sub))
        except ValueError as error:
            raise Unauthenticated(with_token=True) from error
        trusted = partial(self._keys.trusts, key.thumbprint)
        return Checked(Verified(caller, claims.exp + LEEWAY_S), trusted)
