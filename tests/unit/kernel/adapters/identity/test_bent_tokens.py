"""Tokens, and the keys of a provider, bent out of shape: nobody else comes in, and nothing else is raised."""

import base64
import json
import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import OctKey

from kernel.adapters.identity.jwt_tokens import JwtTokens
from kernel.adapters.identity.key_ring import KeyRing
from kernel.adapters.identity.public_keys import read_keys
from kernel.adapters.identity.services import ISSUER as OF_SERVICES
from kernel.adapters.identity.services import TYPE, ServiceTokens
from kernel.adapters.identity.users import UserTokens
from kernel.domain.caller import Caller, Role
from kernel.domain.errors import Unauthenticated
from tests.memory.clock import MemoryClock
from tests.unit.bent import bent, fuzzed, header
from tests.unit.kernel.adapters.identity.provider import (
    AUDIENCE,
    EC,
    ED,
    ISSUER,
    RSA,
    Provider,
    claims,
    signed,
)

CLOCK = MemoryClock()
SECRET = "k" * 32
OF_ALICE = signed(claims(CLOCK), "ES256")
OF_GATEWAY = ServiceTokens([SECRET], "gateway", CLOCK).signed("orders")
JWKS = json.dumps({"keys": [key.as_dict(private=False) | {"use": "sig"} for key in (RSA, EC, ED)]}).encode()
PEM = RSA.as_pem(private=False) + EC.as_pem(private=False)

TELLING = [
    *(ISSUER, AUDIENCE, OF_SERVICES, TYPE, "alice", "gateway", "orders", "shop:operator", "ec", 10**400),
    *("anyone", "user", "operator", "service", "HS256", "none", "ES256", "Ed25519"),
]
# Whatever JSON holds, and what means something in a token.
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.sampled_from(TELLING),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "role", "x"]), inner),
    max_leaves=5,
)
# As the contract has it: what the code takes for a user id is what is tested.
USER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@|:-]{0,127}")
SUBJECTS = bent([b"alice", b"a" * 128]).map(header)
NAMES = ["iss", "aud", "sub", "exp", "nbf", "iat", "scope", "roles", "act", "jti", "cnf", "shop"]
HEADERS = ["alg", "kid", "typ", "crit", "b64", "jku", "x5u", "jwk", "x5c", "zip", "cty", "enc"]


def tokens() -> JwtTokens:
    users = UserTokens(KeyRing(Provider(RSA, EC, ED), CLOCK), ISSUER, AUDIENCE, CLOCK)
    return JwtTokens(users, ServiceTokens([SECRET], "orders", CLOCK), CLOCK)


async def caller_of(token: str) -> Caller | None:
    try:
        return (await tokens().verify(token)).caller
    except Unauthenticated:
        return None


def of_another(token: str) -> str:
    """The same head and signature around the claims of somebody else."""
    head, told, signature = token.split(".")
    claimed = (
        base64.urlsafe_b64decode(told + "==").replace(b"alice", b"mallory").replace(b"gateway", b"other")
    )
    return f"{head}.{base64.urlsafe_b64encode(claimed).decode().rstrip('=')}.{signature}"


@pytest.mark.parametrize("sample", [OF_ALICE, OF_GATEWAY])
@fuzzed
@given(data=st.data())
async def test_a_token_that_was_bent_is_the_same_one_or_none(sample: str, data: st.DataObject) -> None:
    token = header(data.draw(bent([sample.encode(), of_another(sample).encode()])))
    assert await caller_of(token) in (None, await caller_of(sample))


@fuzzed
@given(told=st.dictionaries(st.sampled_from(NAMES), values) | st.fixed_dictionaries({"sub": SUBJECTS}))
async def test_claims_that_a_provider_signs_make_a_user_or_nobody(told: dict[str, Any]) -> None:
    caller = await caller_of(signed(claims(CLOCK) | told))
    if caller is not None:
        assert caller.role in (Role.USER, Role.VIEWER, Role.OPERATOR)
        assert USER_ID.fullmatch(caller.id)
        assert caller.id == told.get("sub", "alice")
        assert caller.service == ""


@fuzzed
@given(told=st.dictionaries(st.sampled_from(NAMES), values))
async def test_claims_that_a_service_signs_make_a_service_or_whom_it_acts_for(told: dict[str, Any]) -> None:
    given_claims = claims(CLOCK, iss=OF_SERVICES, sub="gateway", aud="orders") | told
    key = OctKey.import_key(SECRET, {"kid": "x"})
    caller = await caller_of(signed(given_claims, "HS256", key, typ=TYPE))
    if caller is not None:
        assert caller.service == given_claims["sub"]
        assert caller.role is not Role.ANYONE


@fuzzed
@given(told=st.dictionaries(st.sampled_from(HEADERS), values))
async def test_no_header_makes_a_token_of_what_nobody_signed(told: dict[str, Any]) -> None:
    parts = [json.dumps(part).encode() for part in ({"alg": "ES256", "kid": "ec"} | told, claims(CLOCK))]
    text = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
    for signature in ("", "AA", OF_ALICE.rpartition(".")[2]):
        assert await caller_of(f"{text}.{signature}") is None


@pytest.mark.parametrize("sample", [JWKS, PEM, b'{"keys": ' + b"[" * 100_000], ids=["JWKS", "PEM", "deep"])
@fuzzed
@given(data=st.data())
def test_keys_are_read_or_the_source_is_none(sample: bytes, data: st.DataObject) -> None:
    with suppress(ValueError):
        for key in read_keys(data.draw(bent([sample]))):
            assert set(key.algorithms) <= {"RS256", "ES256", "Ed25519", "EdDSA"}
