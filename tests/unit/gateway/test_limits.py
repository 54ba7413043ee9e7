"""What the gateway and the services behind it limit by default, and by their settings."""

import json

import pytest

from gateway.settings import GatewaySettings
from orders.settings import OrdersSettings
from payments.settings import PaymentsSettings
from shop.services import OURS, load_shop

BEHIND = (OrdersSettings, PaymentsSettings)


def test_in_open_mode_nothing_is_limited_but_by_what_a_gateway_has_room_for() -> None:
    settings = GatewaySettings()
    assert settings.rate_limit is None
    assert (settings.streams_per_user, settings.streams_per_address) == (None, None)


def test_every_caller_is_limited_where_tokens_are_asked_for() -> None:
    settings = GatewaySettings(shop_auth="jwt")
    assert settings.rate_limit == "50/second"
    assert (settings.streams_per_user, settings.streams_per_address) == (20, 100)
    assert [kind(shop_auth="jwt").rate_limit for kind in BEHIND] == ["50/second"] * 2


@pytest.mark.parametrize("auth", ["open", "jwt"])
def test_the_limits_that_are_set_hold(auth: str) -> None:
    told = {
        "SHOP_AUTH": auth,
        "SHOP_RATE_LIMIT": "7/minute",
        "SHOP_STREAMS_PER_USER": "3",
        "SHOP_STREAMS_PER_ADDRESS": "4",
    }
    settings = load_shop(told).settings["gateway"]
    assert settings.rate_limit == "7/minute"
    assert (settings.streams_per_user, settings.streams_per_address) == (3, 4)
    assert load_shop(told | {"SHOP_RATE_LIMIT": "none"}).settings["gateway"].rate_limit is None


def test_in_open_mode_the_calls_of_the_gateway_are_not_taken_for_those_of_one_client() -> None:
    assert [kind(shop_rate_limit="7/minute").rate_limit for kind in BEHIND] == [None] * 2


@pytest.mark.parametrize("service", OURS, ids=lambda service: service.name)
def test_every_operation_but_health_is_documented_as_limited(service: object) -> None:
    document = json.loads(service.load_main().api(service.settings()).openapi)  # type: ignore[attr-defined]
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len(operations) > 5
    for operation in operations:
        limited = operation["responses"].get("429")
        if operation["operationId"] in ("live", "ready"):
            assert limited is None
            continue
        assert "rate_limited" in limited["description"], operation["operationId"]
        assert limited["headers"].keys() == {"Retry-After", "RateLimit", "RateLimit-Policy"}
        (media,) = limited["content"].values()
        example = media.get("example") or media["examples"]["rate_limited"]["value"]
        assert (example["status"], example["code"]) == (429, "rate_limited")
