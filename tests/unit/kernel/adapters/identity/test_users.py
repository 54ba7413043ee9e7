"""Tokens of people: the right ones are believed, every kind of wrong one is not, and none says why."""

import base64
import hmac
import json
from collections.abc import Mapping
from typing import Any

import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from kernel.adapters.identity.bearer import JwtTokens
from kernel.adapters.identity.key_ring import AGAIN_S, KeyRing
from kernel.adapters.identity.public_keys import read_keys, unwarned
from kernel.adapters.identity.services import ServiceTokens
from kernel.adapters.identity.users import UserTokens
from kernel.adapters.identity.verifying import LEEWAY_S
from kernel.domain.caller import Caller, Role
from kernel.domain.errors import Unauthenticated, Unavailable
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


@pytest.fixture
def clock() -> MemoryClock:
    return MemoryClock()


@pytest.fixture
def provider() -> Provider:
    return Provider(RSA, EC, ED)


@pytest.fixture
def ring(provider: Provider, clock: MemoryClock) -> KeyRing:
    return KeyRing(provider, clock)


def _tokens(ring: KeyRing, clock: MemoryClock) -> JwtTokens:
    services = ServiceTokens(["a secret of thirty-two characters"], "gateway", clock)
    return JwtTokens(UserTokens(ring, ISSUER, AUDIENCE, clock), services, clock)


@pytest.fixture
def tokens(ring: KeyRing, clock: MemoryClock) -> JwtTokens:
    return _tokens(ring, clock)


def claims(clock: MemoryClock, **others: Any) -> dict[str, Any]:
    now = int(clock.now().timestamp())
    given = {"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "exp": now + 300} | others
    return {name: value for name, value in given.items() if value is not None}


def signed(told: Mapping[str, Any], alg: str = "ES256", key: Any = None, **header: Any) -> str:
    key = key or KEYS[alg]
    registry = jws.JWSRegistry(algorithms=[alg], strict_check_header=False)
    with unwarned():
        return jwt.encode({"alg": alg, "kid": key.kid} | header, dict(told), key, registry=registry)


@pytest.mark.parametrize("alg", ["RS256", "ES256", "Ed25519", "EdDSA"])
async def test_a_token_of_each_algorithm_tells_its_user(
    tokens: JwtTokens, clock: MemoryClock, alg: str
) -> None:
    token = signed(claims(clock), alg)
    assert tokens.remembered(token) is None
    verified = await tokens.verify(token)
    assert verified.caller == Caller(Role.USER, "alice")
    assert tokens.remembered(token) == verified


@pytest.mark.parametrize(
    ("told", "role"),
    [
        ({"scope": "openid shop:operator"}, Role.OPERATOR),
        ({"scope": ["shop:operator"]}, Role.OPERATOR),
        ({"roles": ["shop:viewer"]}, Role.VIEWER),
        ({"roles": "shop:viewer"}, Role.VIEWER),
        ({"roles": ["shop:viewer"], "scope": "shop:operator"}, Role.OPERATOR),
        ({"scope": "shop:operators xshop:operator shop:operator:x"}, Role.USER),
        ({"role": "shop:operator", "groups": ["shop:operator"]}, Role.USER),
    ],
)
async def test_scope_and_roles_make_operators_and_viewers(
    tokens: JwtTokens, clock: MemoryClock, told: Mapping[str, Any], role: Role
) -> None:
    assert (await tokens.verify(signed(claims(clock, **told)))).caller == Caller(role, "alice")


WRONG_CLAIMS: list[dict[str, Any]] = [
    {"iss": "https://other.example"},
    {"iss": None},
    {"iss": [ISSUER]},
    {"aud": "another"},
    {"aud": None},
    {"aud": []},
    {"aud": {"shop": 1}},
    {"exp": None},
    {"exp": "soon"},
    {"exp": True},
    {"exp": [1]},
    {"sub": None},
    {"sub": ""},
    {"sub": ["alice"]},
    {"sub": 7},
    {"sub": "-alice"},
    {"sub": "alice\n"},
    {"sub": "a" * 129},
    {"sub": "al ice"},
    {"scope": {"shop:operator": True}},
    {"scope": [["shop:operator"]]},
    {"roles": 1},
    {"nbf": "now"},
]


@pytest.mark.parametrize("told", WRONG_CLAIMS, ids=str)
async def test_a_wrong_claim_is_not_believed(
    tokens: JwtTokens, clock: MemoryClock, told: dict[str, Any]
) -> None:
    await refused(
        tokens, signed(claims(clock) | told if None not in told.values() else claims(clock, **told))
    )


async def refused(tokens: JwtTokens, token: str) -> None:
    with pytest.raises(Unauthenticated) as caught:
        await tokens.verify(token)
    assert caught.value.detail == Unauthenticated(with_token=True).detail
    assert tokens.remembered(token) is None


async def test_a_token_has_30_seconds_beyond_its_end_and_before_its_beginning(
    tokens: JwtTokens, clock: MemoryClock
) -> None:
    now = int(clock.now().timestamp())
    assert await tokens.verify(signed(claims(clock, exp=now - LEEWAY_S + 2)))
    assert await tokens.verify(signed(claims(clock, nbf=now + LEEWAY_S - 2)))
    await refused(tokens, signed(claims(clock, exp=now - LEEWAY_S - 2)))
    await refused(tokens, signed(claims(clock, nbf=now + LEEWAY_S + 2)))


async def test_a_remembered_token_ends_when_it_ends(tokens: JwtTokens, clock: MemoryClock) -> None:
    token = signed(claims(clock))
    await tokens.verify(token)
    clock.advance(300 + LEEWAY_S + 1)
    assert tokens.remembered(token) is None
    await refused(tokens, token)


def unsigned(told: Mapping[str, Any], header: Mapping[str, Any]) -> str:
    parts = (json.dumps(part).encode() for part in (header, told))
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + "."


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "", "ES256"])
async def test_a_token_without_signature_is_not_believed(
    tokens: JwtTokens, clock: MemoryClock, alg: str
) -> None:
    await refused(tokens, unsigned(claims(clock), {"alg": alg, "kid": "ec"}))


async def test_a_public_key_is_no_secret(tokens: JwtTokens, clock: MemoryClock) -> None:
    for public in (RSA.as_pem(private=False), RSA.as_der(private=False), EC.as_pem(private=False)):
        for kid in ("rsa", "ec"):
            text = unsigned(claims(clock), {"alg": "HS256", "kid": kid}).rstrip(".")
            code = hmac.digest(public, text.encode(), "sha256")
            await refused(tokens, f"{text}.{base64.urlsafe_b64encode(code).decode().rstrip('=')}")


async def test_another_key_under_a_known_kid_is_not_believed(tokens: JwtTokens, clock: MemoryClock) -> None:
    await refused(tokens, signed(claims(clock), "ES256", ECKey.generate_key("P-256", {"kid": "ec"})))
    await refused(tokens, signed(claims(clock), "Ed25519", OKPKey.generate_key("Ed25519", {"kid": "ed"})))
    # A good key and a good signature, under the kid of another one.
    await refused(tokens, signed(claims(clock), "ES256", EC, kid="rsa"))
    await refused(tokens, signed(claims(clock), "ES256", EC, kid="../../ec"))
    await refused(tokens, unsigned(claims(clock), {"alg": "ES256", "kid": ["ec"]}) + "AA")


@pytest.mark.parametrize("name", ["jku", "x5u", "jwk"])
async def test_a_key_that_the_token_brings_along_proves_nothing(
    tokens: JwtTokens, clock: MemoryClock, name: str
) -> None:
    own = ECKey.generate_key("P-256", {"kid": "ec"})
    there: Any = own.as_dict(private=False) if name == "jwk" else "https://evil.example/keys"
    await refused(tokens, signed(claims(clock), "ES256", own, **{name: there}))
    await refused(tokens, signed(claims(clock), "ES256", EC, **{name: there}))


async def test_eddsa_means_ed25519_and_no_other_curve(clock: MemoryClock) -> None:
    other = OKPKey.generate_key("Ed448", {"kid": "ed448"})
    tokens = _tokens(KeyRing(Provider(other, ED), clock), clock)
    await refused(tokens, signed(claims(clock), "EdDSA", other))


async def test_weak_and_foreign_keys_are_passed_over(clock: MemoryClock) -> None:
    with unwarned():
        weak = RSAKey.generate_key(1024, {"kid": "weak"})
    secret = OctKey.generate_key(256, {"kid": "secret"})
    p384 = ECKey.generate_key("P-384", {"kid": "p384"})
    for_encryption = ECKey.generate_key("P-256", {"kid": "enc"})

    async def source() -> bytes:
        keys = [key.as_dict(private=True) for key in (weak, secret, p384, EC)]
        keys.append(for_encryption.as_dict(private=False) | {"use": "enc"})
        return json.dumps({"keys": [*keys, {"kty": "AKP"}, {"kty": "RSA"}, {}]}).encode()

    assert [key.id for key in read_keys(await source())] == ["ec"]
    tokens = _tokens(KeyRing(source, clock), clock)
    assert await tokens.verify(signed(claims(clock)))
    await refused(tokens, signed(claims(clock), "RS256", weak))
    await refused(tokens, signed(claims(clock), "HS256", secret))
    await refused(tokens, signed(claims(clock), "ES384", p384))
    await refused(tokens, signed(claims(clock), "ES256", for_encryption))


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "a.b.c", "é.é.é", "\x00", "A" * 100_000, "e30.e30.e30", f"{'A' * 4000}.{'A' * 4000}.A"],
    ids=lambda token: token[:10],
)
async def test_garbage_is_no_token(tokens: JwtTokens, token: str) -> None:
    await refused(tokens, token)


async def test_a_token_of_100_kb_is_not_believed_however_well_signed(
    tokens: JwtTokens, clock: MemoryClock
) -> None:
    assert await tokens.verify(signed(claims(clock, padding="x" * 8_000)))
    await refused(tokens, signed(claims(clock, padding="x" * 9_500)))  # 12 KiB and more in base64.
    await refused(tokens, signed(claims(clock, padding="x" * 100_000)))


async def test_a_withdrawn_key_takes_its_tokens_with_it(
    tokens: JwtTokens, ring: KeyRing, provider: Provider, clock: MemoryClock
) -> None:
    of_withdrawn, of_kept = signed(claims(clock), "RS256"), signed(claims(clock), "ES256")
    for token in (of_withdrawn, of_kept):
        await tokens.verify(token)
    provider.keys.remove(RSA)
    await ring.fetch()
    await refused(tokens, of_withdrawn)
    assert tokens.remembered(of_kept) is not None


async def test_a_new_key_is_fetched_when_a_token_names_it_and_not_more_than_every_10_seconds(
    tokens: JwtTokens, provider: Provider, clock: MemoryClock
) -> None:
    await tokens.verify(signed(claims(clock)))
    new = ECKey.generate_key("P-256", {"kid": "new"})
    provider.keys.append(new)
    token = signed(claims(clock), "ES256", new)
    await refused(tokens, token)
    assert provider.fetches == 1
    clock.advance(AGAIN_S)
    assert (await tokens.verify(token)).caller.id == "alice"
    assert provider.fetches == 2


async def test_known_keys_serve_while_the_provider_is_away(
    tokens: JwtTokens, ring: KeyRing, provider: Provider, clock: MemoryClock
) -> None:
    await ring.fetch()
    provider.is_away = True
    await ring.fetch()
    assert await tokens.verify(signed(claims(clock)))


async def test_without_any_key_nobody_can_tell(
    tokens: JwtTokens, provider: Provider, clock: MemoryClock
) -> None:
    provider.is_away = True
    with pytest.raises(Unavailable):
        await tokens.verify(signed(claims(clock)))


async def test_a_token_without_kid_is_checked_where_one_key_alone_can_have_signed_it(
    provider: Provider, tokens: JwtTokens, clock: MemoryClock
) -> None:
    registry = jws.JWSRegistry(algorithms=["ES256"])
    token = jwt.encode({"alg": "ES256"}, claims(clock), EC, registry=registry)
    assert await tokens.verify(token)
    provider.keys.append(ECKey.generate_key("P-256", {"kid": "second"}))
    clock.advance(AGAIN_S)
    await refused(tokens, jwt.encode({"alg": "ES256"}, claims(clock), provider.keys[-1], registry=registry))
