"""What a gateway needs where callers are asked who they are."""

import asyncio
from typing import Any

import msgspec
import pytest

import gateway.main
from gateway.settings import GatewaySettings
from kernel.adapters.in_process.bus import InProcessBroker, InProcessNotifications
from kernel.environment import load_settings
from kernel.settings import SettingsError
from tests.catalog import CATALOG
from tests.unit.gateway.conftest import host_of


async def refusal(**settings: Any) -> str:
    """The words of a refused start."""
    notifications = InProcessNotifications(InProcessBroker(CATALOG))
    host = host_of(notifications, asyncio.Event())
    complete = msgspec.structs.replace(GatewaySettings(), shop_auth="jwt", **settings)
    async with asyncio.timeout(10):
        with pytest.raises(SettingsError) as refused:
            await gateway.main.serve(complete, host)
    return str(refused.value)


async def test_the_settings_that_jwt_needs_are_named_in_one_line() -> None:
    missing = "SHOP_JWT_ISSUER, SHOP_JWT_KEYS, SHOP_SERVICE_KEY, SHOP_SESSION_KEY"
    assert await refusal() == f"SHOP_AUTH=jwt needs {missing}"


@pytest.mark.parametrize("issuer", [{}, {"SHOP_JWT_ISSUER": "urn:shop:local"}])
def test_a_provider_that_cannot_be_asked_where_to_sign_in_is_named_before_anything_starts(
    issuer: dict[str, str],
) -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings(GatewaySettings, {"SHOP_AUTH": "jwt", "SHOP_OIDC_CLIENT_ID": "shop"} | issuer)
    said = "SHOP_OIDC_CLIENT_ID: the provider is asked at SHOP_JWT_ISSUER, which has to be a URL"
    assert str(refused.value) == said
