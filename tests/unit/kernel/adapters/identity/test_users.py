"""Tokens of people: the right ones are believed, every kind of wrong one is not, and none says why."""

import base64
import hmac
from collections.abc import Mapping
from typing import Any

import pytest
from joserfc.jwk import ECKey, OKPKey

from kernel.adapters.identity.jwt_tokens import JwtTokens
from kernel.adapters.identity.key_ring import KeyRing
from kernel.domain.caller import Caller, Role
from tests.memory.clock import MemoryClock
from tests.unit.kernel.adapters.identity.provider import (
    EC,
    ED,
    ISSUER,
    RSA,
    Provider,
    claims,
    refused,
    signed,
    tokens_of,
    unsigned,
)


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
        ({"scope": "a\u00a0shop:operator b\tshop:operator", "roles": "a\u2003shop:viewer"}, Role.USER),
        ({"scope": ["a shop:operator"], "roles": ["shop:viewer b"]}, Role.USER),
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
    {"exp": 253_402_300_800},
    {"exp": 1e18},
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


async def test_a_token_has_30_seconds_beyond_its_end_and_before_its_beginning(
    tokens: JwtTokens, clock: MemoryClock
) -> None:
    now = int(clock.now().timestamp())
    assert await tokens.verify(signed(claims(clock, exp=now - 30 + 2)))
    assert await tokens.verify(signed(claims(clock, nbf=now + 30 - 2)))
    await refused(tokens, signed(claims(clock, exp=now - 30 - 2)))
    await refused(tokens, signed(claims(clock, nbf=now + 30 + 2)))


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
    tokens = tokens_of(KeyRing(Provider(other, ED), clock), clock)
    await refused(tokens, signed(claims(clock), "EdDSA", other))


@pytest.mark.parametrize(
    "token",
    [
        *("", ".", "..", "a.b.c", "é.é.é", "\x00", "A" * 100_000, "e30.e30.e30"),
        f"{'A' * 4000}.{'A' * 4000}.A",
        unsigned({}, {"alg": 7}),
        unsigned({}, {"alg": "ES256", "kid": ["ec"]}),
    ],
    ids=lambda token: token[-10:],
)
async def test_garbage_is_no_token(tokens: JwtTokens, token: str) -> None:
    await refused(tokens, token)


async def test_a_token_of_100_kb_is_not_believed_however_well_signed(
    tokens: JwtTokens, clock: MemoryClock
) -> None:
    assert await tokens.verify(signed(claims(clock, padding="x" * 8_000)))
    await refused(tokens, signed(claims(clock, padding="x" * 9_500)))  # 12 KiB and more in base64.
    await refused(tokens, signed(claims(clock, padding="x" * 100_000)))
