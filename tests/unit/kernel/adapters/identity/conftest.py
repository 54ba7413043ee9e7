"""Tokens that are checked with the keys of a provider."""

import pytest

from kernel.adapters.identity.jwt_tokens import JwtTokens
from kernel.adapters.identity.key_ring import KeyRing
from tests.memory.clock import MemoryClock
from tests.unit.kernel.adapters.identity.provider import EC, ED, RSA, Provider, tokens_of


@pytest.fixture
def provider() -> Provider:
    return Provider(RSA, EC, ED)


@pytest.fixture
def ring(provider: Provider, clock: MemoryClock) -> KeyRing:
    return KeyRing(provider, clock)


@pytest.fixture
def tokens(ring: KeyRing, clock: MemoryClock) -> JwtTokens:
    return tokens_of(ring, clock)
