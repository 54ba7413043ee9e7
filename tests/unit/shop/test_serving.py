"""Where the shop finds its own services."""

import asyncio

import pytest

from kernel.settings import SettingsError
from shop.services import load_shop
from shop.serving import open_shop, url_of


@pytest.mark.parametrize(
    ("bind_host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:5001"),
        ("10.0.0.5", "http://10.0.0.5:5001"),
        ("0.0.0.0", "http://127.0.0.1:5001"),
    ],
)
def test_a_service_is_reached_at_the_address_that_it_listens_on(bind_host: str, url: str) -> None:
    assert url_of(load_shop({"BIND_HOST": bind_host}), "orders") == url


async def test_two_services_cannot_share_a_port() -> None:
    shop = load_shop({"GATEWAY_PORT": "6201", "ORDERS_PORT": "6201"})
    with pytest.raises(SettingsError, match="GATEWAY_PORT, ORDERS_PORT, PAYMENTS_PORT must be different"):
        async with open_shop(shop, asyncio.Event()):
            pass
