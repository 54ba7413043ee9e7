"""The tokens that services send to each other, signed with a shared secret and valid for a minute."""

from collections.abc import Sequence

from joserfc import jwt
from joserfc.jwk import OctKey
from msgspec import Struct

from kernel.adapters.identity.verifying import LEEWAY_S, Checked, Header, claim_rules, claims_of
from kernel.domain.caller import Caller, Role
from kernel.domain.errors import Unauthenticated
from kernel.domain.ids import parse_user_id
from kernel.ports.clock import Clock
from kernel.ports.tokens import Verified

ALGORITHM = "HS256"
TYPE = "shop-service+jwt"
ISSUER = "urn:shop:services"
VALID_S = 60
_SIGNED_AGAIN_S = 30


class Acting(Struct, frozen=True):
    """The person for whom a service calls, from the claim `act`."""

    id: str
    role: Role

    def __post_init__(self) -> None:
        """Raises ValueError if the id or the role is not a person's."""
        parse_user_id(self.id)
        if self.role in (Role.ANYONE, Role.SERVICE):
            raise ValueError("a service acts for people only")


class _Claims(Struct):
    sub: str
    exp: int
    act: Acting | None = None

    @property
    def caller(self) -> Caller:
        if self.act is None:
            return Caller(Role.SERVICE, self.sub, self.sub)
        return Caller(self.act.role, self.act.id, self.sub)


class ServiceTokens:
    """Signs tokens with the first key and accepts tokens of every key, so that keys can be rotated."""

    def __init__(self, keys: Sequence[str], service: str, clock: Clock) -> None:
        """`service` is the subject of the signed tokens and the audience of the accepted tokens."""
        self._keys = [OctKey.import_key(key) for key in keys]
        self._service = service
        self._clock = clock
        self._signed: dict[tuple[str, Caller | None], tuple[str, float]] = {}
        self._rules = claim_rules(clock, issuer=ISSUER, audience=service)

    def signed(self, audience: str, acting: Caller | None = None) -> str:
        """A token for calls to the service `audience`, for the person `acting` or for this service itself."""
        token, until = self._signed.get((audience, acting), ("", 0.0))
        if self._clock.monotonic() >= until:
            self._signed = {
                key: kept for key, kept in self._signed.items() if self._clock.monotonic() < kept[1]
            }
            token = self._sign(audience, acting)
            self._signed[audience, acting] = token, self._clock.monotonic() + _SIGNED_AGAIN_S
        return token

    def _sign(self, audience: str, acting: Caller | None) -> str:
        now = int(self._clock.now().timestamp())
        claims: dict[str, object] = {"iss": ISSUER, "sub": self._service, "aud": audience}
        claims |= {"iat": now, "exp": now + VALID_S}
        if acting is not None:
            claims["act"] = {"id": acting.id, "role": acting.role}
        return jwt.encode({"alg": ALGORITHM, "typ": TYPE}, claims, self._keys[0], algorithms=[ALGORITHM])

    async def check(self, token: str, _: Header) -> Checked:
        """Verifies the token with each key in turn. Raises Unauthenticated if no key fits."""
        for key in self._keys:
            try:
                claims = claims_of(token, key, [ALGORITHM], self._rules, _Claims)
            except Unauthenticated:
                continue
            # Service keys change only at a restart, so a checked token stays trusted.
            return Checked(Verified(claims.caller, claims.exp + LEEWAY_S), lambda: True)
        raise Unauthenticated(with_token=True)
