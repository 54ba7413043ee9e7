"""An OpenID provider as its keys and its tokens show it."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from kernel.adapters.identity.jwt_tokens import JwtTokens
from kernel.adapters.identity.key_ring import KeyRing
from kernel.adapters.identity.public_keys import unwarned
from kernel.adapters.identity.services import ServiceTokens
from kernel.adapters.identity.users import UserTokens
from kernel.domain.errors import Unauthenticated
from tests.memory.clock import MemoryClock

ISSUER, AUDIENCE = "https://id.example", "shop"

RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
EC = ECKey.generate_key("P-256", {"kid": "ec"})
ED = OKPKey.generate_key("Ed25519", {"kid": "ed"})
KEYS = {"RS256": RSA, "ES256": EC, "Ed25519": ED, "EdDSA": ED}


class Provider:
    """Its keys, as a source of a KeyRing."""

    def __init__(self, *keys: Any) -> None:
        self.keys = list(keys)
        self.is_away = False
        self.fetches = 0

    async def __call__(self) -> bytes:
        self.fetches += 1
        if self.is_away:
            raise OSError("the provider is away")
        return json.dumps({"keys": [key.as_dict(private=False) for key in self.keys]}).encode()


def tokens_of(ring: KeyRing, clock: MemoryClock) -> JwtTokens:
    services = ServiceTokens(["a secret of thirty-two characters"], "gateway", clock)
    return JwtTokens(UserTokens(ring, ISSUER, AUDIENCE, clock), services, clock)


def claims(clock: MemoryClock, **others: Any) -> dict[str, Any]:
    now = int(clock.now().timestamp())
    given = {"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "exp": now + 300} | others
    return {name: value for name, value in given.items() if value is not None}


def signed(told: Mapping[str, Any], alg: str = "ES256", key: Any = None, **header: Any) -> str:
    key = key or KEYS[alg]
    registry = jws.JWSRegistry(algorithms=[alg], strict_check_header=False)
    with unwarned():
        return jwt.encode({"alg": alg, "kid": key.kid} | header, dict(told), key, registry=registry)


async def refused(tokens: JwtTokens, token: str) -> None:
    with pytest.raises(Unauthenticated) as caught:
        await tokens.verify(token)
    assert caught.value.detail == Unauthenticated(with_token=True).detail
    assert tokens.remembered(token) is None


def unsigned(told: Mapping[str, Any], header: Mapping[str, Any]) -> str:
    parts = (json.dumps(part).encode() for part in (header, told))
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + "."
