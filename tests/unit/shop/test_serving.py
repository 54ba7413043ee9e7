"""Where the shop finds its own services."""

import asyncio

import pytest

from kernel.settings import Settings, SettingsError
from shop.serving import local_url, open_shop


@pytest.mark.parametrize(
    ("bind_host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:5001"),
        ("10.0.0.5", "http://10.0.0.5:5001"),
        ("0.0.0.0", "http://127.0.0.1:5001"),
    ],
)
def test_a_service_is_reached_at_the_address_that_it_listens_on(bind_host: str, url: str) -> None:
    assert local_url(Settings(bind_host=bind_host), 5001) == url


async def test_two_services_cannot_share_a_port() -> None:
    settings = Settings(gateway_port=6201, orders_port=6201)
    with pytest.raises(SettingsError, match="GATEWAY_PORT, ORDERS_PORT, PAYMENTS_PORT must be different"):
        async with open_shop(settings, asyncio.Event()):
            pass
