"""Tokens of services: for one service, for a minute, and for whom they act."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey

from kernel.adapters.identity.jwt_tokens import JwtTokens
from kernel.adapters.identity.key_ring import KeyRing
from kernel.adapters.identity.services import ISSUER, TYPE, ServiceTokens
from kernel.adapters.identity.users import UserTokens
from kernel.adapters.identity.verifying import LEEWAY_S
from kernel.domain.caller import Caller, Role
from kernel.domain.errors import Unauthenticated
from tests.memory.clock import MemoryClock
from tests.unit.kernel.adapters.identity.provider import Provider, claims, signed

OLD, NEW, OTHER = (letter * 32 for letter in "onx")
OLGA = Caller(Role.OPERATOR, "olga")


def of(service: str, clock: MemoryClock, keys: Sequence[str] = (OLD,)) -> ServiceTokens:
    return ServiceTokens(keys, service, clock)


def verifying(service: str, clock: MemoryClock, keys: Sequence[str] = (OLD,)) -> JwtTokens:
    ring = KeyRing(Provider(ECKey.generate_key("P-256")), clock)
    return JwtTokens(UserTokens(ring, "issuer", "shop", clock), of(service, clock, keys), clock)


def by_hand(told: Mapping[str, Any]) -> str:
    """Claims that the secret signs, whatever they are."""
    return signed(told, "HS256", OctKey.import_key(OLD, {"kid": "x"}), typ=TYPE)


async def test_a_service_is_known_by_the_token_that_it_signs_for_another(clock: MemoryClock) -> None:
    token = of("gateway", clock).signed("orders")
    orders = verifying("orders", clock)
    assert (await orders.verify(token)).caller == Caller(Role.SERVICE, "gateway", "gateway")
    assert orders.remembered(token) is not None


async def test_a_token_tells_for_whom_the_service_acts(clock: MemoryClock) -> None:
    token = of("gateway", clock).signed("orders", OLGA)
    assert (await verifying("orders", clock).verify(token)).caller == Caller(Role.OPERATOR, "olga", "gateway")


@pytest.mark.parametrize(
    "act",
    [
        {"id": "a", "role": "anyone"},
        {"id": "a", "role": "service"},
        {"id": "", "role": "user"},
        {"id": "a"},
        "a",
    ],
    ids=str,
)
async def test_a_service_acts_for_people_only(clock: MemoryClock, act: Any) -> None:
    told = claims(clock, iss=ISSUER, sub="gateway", aud="orders", act=act)
    token = by_hand(told)
    with pytest.raises(Unauthenticated):
        await verifying("orders", clock).verify(token)


async def test_a_token_for_one_service_is_none_for_another(clock: MemoryClock) -> None:
    token = of("gateway", clock).signed("orders")
    for other in ("payments", "gateway", "shop"):
        with pytest.raises(Unauthenticated):
            await verifying(other, clock).verify(token)


async def test_two_keys_are_believed_while_one_takes_the_place_of_the_other(clock: MemoryClock) -> None:
    by_old, by_new = of("gateway", clock).signed("orders"), of("gateway", clock, (NEW, OLD)).signed("orders")
    both = verifying("orders", clock, (NEW, OLD))
    for token in (by_old, by_new):
        assert await both.verify(token)
    with pytest.raises(Unauthenticated):
        await verifying("orders", clock, (OLD,)).verify(by_new)


async def test_a_token_ends_after_a_minute_and_a_new_one_is_signed_in_time(clock: MemoryClock) -> None:
    gateway, orders = of("gateway", clock), verifying("orders", clock)
    first = gateway.signed("orders")
    assert gateway.signed("orders") == first
    assert gateway.signed("orders", OLGA) != first
    await orders.verify(first)
    clock.advance(50)
    assert gateway.signed("orders") != first
    clock.advance(10 + LEEWAY_S + 1)
    assert orders.remembered(first) is None
    with pytest.raises(Unauthenticated):
        await orders.verify(first)


async def test_a_caller_who_does_not_know_the_secret_is_no_service(clock: MemoryClock) -> None:
    told = claims(clock, iss=ISSUER, sub="gateway", aud="orders")
    orders = verifying("orders", clock)
    for key in (OctKey.import_key(OTHER, {"kid": "x"}), OctKey.import_key("orders" * 6, {"kid": "x"})):
        with pytest.raises(Unauthenticated):
            await orders.verify(signed(told, "HS256", key, typ=TYPE))
    for alg in ("ES256", "Ed25519"):
        with pytest.raises(Unauthenticated):
            await orders.verify(signed(told, alg, typ=TYPE))


WRONG_CLAIMS: list[dict[str, Any]] = [
    {"iss": "issuer"},
    {"iss": None},
    {"aud": "shop"},
    {"aud": None},
    {"exp": None},
    {"sub": None},
    {"sub": ""},
    {"sub": ["gateway"]},
]


@pytest.mark.parametrize("wrong", WRONG_CLAIMS, ids=str)
async def test_a_service_is_not_believed_with_a_wrong_claim(
    clock: MemoryClock, wrong: dict[str, Any]
) -> None:
    told = claims(clock, **{"iss": ISSUER, "sub": "gateway", "aud": "orders"} | wrong)
    with pytest.raises(Unauthenticated):
        await verifying("orders", clock).verify(by_hand(told))


async def test_the_secret_of_services_signs_no_token_of_a_person(clock: MemoryClock) -> None:
    told = claims(clock, iss="issuer", aud="shop")
    with pytest.raises(Unauthenticated):
        await verifying("orders", clock).verify(signed(told, "HS256", OctKey.import_key(OLD, {"kid": "x"})))
