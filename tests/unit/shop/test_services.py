"""The services of a shop are handed over: ours, and those beside them."""

import asyncio
from dataclasses import replace

import pytest
from msgspec import field

from kernel.contracts.messaging import Messaging
from kernel.service import Service
from kernel.settings import HttpUrl, Port, Settings, SettingsError
from shop.services import OURS, load_shop
from shop.serving import open_shop

PAYMENT_CAPTURED = "shop.payments.payment-captured.v1"


class BesideSettings(Settings, frozen=True, kw_only=True):
    port: Port = field(default=5003, name="beside_port")
    beside_url: HttpUrl | None = None


BESIDE = Service(
    messaging=Messaging(service="beside", subscribes=[PAYMENT_CAPTURED]),
    settings=BesideSettings,
    main="beside.main",
)


def test_a_service_beside_ours_hears_what_orders_hears() -> None:
    catalog = load_shop({}, [*OURS, BESIDE]).catalog
    assert catalog.subscribers_of(PAYMENT_CAPTURED) == ["orders", "beside"]


def test_operators_reach_a_service_beside_ours_where_its_settings_say_where_it_is() -> None:
    assert load_shop({}, [*OURS, BESIDE]).operated == {}
    url = "http://beside:5004"
    assert load_shop({"BESIDE_URL": url}, [*OURS, BESIDE]).operated == {"beside": url}
    with pytest.raises(SettingsError, match=r"^BESIDE_URL "):
        load_shop({"BESIDE_URL": "beside"}, [*OURS, BESIDE])


def test_two_services_of_one_name_are_refused() -> None:
    twin = replace(BESIDE, messaging=Messaging(service="orders"))
    with pytest.raises(SettingsError, match=r"^two services are named orders$"):
        load_shop({}, [*OURS, twin])


async def test_a_service_beside_ours_needs_a_port_of_its_own() -> None:
    refused = "^BESIDE_PORT, GATEWAY_PORT, ORDERS_PORT, PAYMENTS_PORT must be different$"
    with pytest.raises(SettingsError, match=refused):
        async with open_shop(load_shop({}, [*OURS, BESIDE]), asyncio.Event()):
            pass
