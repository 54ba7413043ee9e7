"""A gateway with sessions, in this process, before services that do as they are told; and its provider."""

from collections.abc import AsyncIterator

import pytest

from tests.servers.openid import OpenId
from tests.servers.pages import Pages, pages

# What tests change of it.
_PROVIDERS = (
    "valid_s", "access", "id_claims", "endpoints", "denies", "silent", "calls", "forms", "names_issuer",
)  # fmt: skip


@pytest.fixture(scope="package")
async def running() -> AsyncIterator[Pages]:
    async with OpenId() as provider, pages(provider, shop_cors_origins="*") as shop:
        yield shop


@pytest.fixture
def shop(running: Pages) -> Pages:
    """A gateway with a provider that does what is right, and services that were asked nothing yet."""
    fresh, provider = OpenId(), running.provider
    for name in _PROVIDERS:
        setattr(provider, name, getattr(fresh, name))
    for stub in (running.gateway.orders, running.gateway.payments):
        stub.forget()
    return running
