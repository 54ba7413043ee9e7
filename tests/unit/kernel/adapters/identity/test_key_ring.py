"""The keys of a provider: which count, how long, and what becomes of the tokens of one that is withdrawn."""

import asyncio
import json
import logging

import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from kernel.adapters.identity.jwt_tokens import JwtTokens
from kernel.adapters.identity.key_ring import AGAIN_S, REFRESH_S, KeyRing
from kernel.adapters.identity.public_keys import read_keys, unwarned
from kernel.domain.errors import Unavailable
from tests.memory.clock import MemoryClock
from tests.unit.kernel.adapters.identity.provider import EC, RSA, Provider, claims, refused, signed, tokens_of


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
    tokens = tokens_of(KeyRing(source, clock), clock)
    assert await tokens.verify(signed(claims(clock)))
    await refused(tokens, signed(claims(clock), "RS256", weak))
    await refused(tokens, signed(claims(clock), "HS256", secret))
    await refused(tokens, signed(claims(clock), "ES384", p384))
    await refused(tokens, signed(claims(clock), "ES256", for_encryption))


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
    for waited_s in (0, 9.5):
        clock.advance(waited_s)
        await refused(tokens, token)
        assert provider.fetches == 1
    clock.advance(0.5)
    assert (await tokens.verify(token)).caller.id == "alice"
    assert provider.fetches == 2


async def test_keys_are_fetched_every_5_minutes_whoever_calls(provider: Provider, clock: MemoryClock) -> None:
    fetched_at: list[float] = []
    enough = asyncio.Event()

    async def source() -> bytes:
        fetched_at.append(clock.monotonic())
        if len(fetched_at) == 3:
            enough.set()
        return await provider()

    running = asyncio.create_task(KeyRing(source, clock).run())
    async with asyncio.timeout(5):
        await enough.wait()
    running.cancel()
    assert fetched_at[:3] == [0, 300, 600]


async def test_known_keys_serve_while_the_provider_is_away(
    tokens: JwtTokens, ring: KeyRing, provider: Provider, clock: MemoryClock
) -> None:
    await ring.fetch()
    provider.is_away = True
    await ring.fetch()
    assert await tokens.verify(signed(claims(clock)))


async def test_a_provider_that_stays_away_is_reported_once_however_rarely_it_is_asked(
    ring: KeyRing, provider: Provider, clock: MemoryClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "kernel")
    provider.is_away = True
    for _ in range(3):
        await ring.fetch()
        clock.advance(REFRESH_S)
    provider.is_away = False
    await ring.fetch()
    away, back = caplog.messages
    assert "SHOP_JWT_KEYS fails: " in away
    assert back == "the source of SHOP_JWT_KEYS is back"


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
