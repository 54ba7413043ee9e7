"""The keys of a provider: which count, how long, and what becomes of the tokens of one that is withdrawn."""

import json

import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from kernel.adapters.identity.bearer import JwtTokens
from kernel.adapters.identity.key_ring import AGAIN_S, KeyRing
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
