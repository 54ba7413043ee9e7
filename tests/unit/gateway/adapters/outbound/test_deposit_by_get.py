"""The deposit by GET travels as a POST, and says that it is deprecated."""

import re

import pytest

from tests.spec.scenario import expect_problem
from tests.unit.gateway.adapters.outbound.calls import ODDLY_WRITTEN, deposit_by_get, deposit_by_post
from tests.unit.gateway.conftest import Gateway, a_gateway
from tests.unit.gateway.stub import answering, refusing


async def test_the_deposit_by_get_travels_as_a_post_and_says_that_it_is_deprecated(shop: Gateway) -> None:
    shop.payments.reply = answering(ODDLY_WRITTEN)
    answer = await deposit_by_get(shop)
    assert (answer.status, answer.body) == (200, ODDLY_WRITTEN)
    assert shop.payments.targets == ["POST /api/Accounts/alice/deposit"]
    assert "Idempotency-Key" not in shop.payments.calls[0].headers
    assert re.fullmatch(r"@\d+", answer.headers["Deprecation"])
    assert answer.headers["Link"] == '</accounts/alice/deposit>; rel="successor-version"'
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/accounts/nobody/deposit?amount=1", "/accounts/a%0D%0AX:1/deposit"])
async def test_a_refused_deposit_by_get_is_never_cached_either(shop: Gateway, path: str) -> None:
    shop.payments.reply = refusing(404, "account_not_found", "/api/Accounts/nobody/deposit")
    answer = await shop.http.get(shop.url + path)
    assert answer.status in (400, 404)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Deprecation"]


async def test_the_deposit_by_get_has_no_head(shop: Gateway) -> None:
    answer = await shop.http("HEAD", f"{shop.url}/accounts/alice/deposit?amount=1")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, POST")
    assert shop.payments.calls == []


async def test_the_deposit_by_get_can_be_switched_off(shop: Gateway) -> None:
    async with a_gateway(shop.orders, shop.payments, shop_legacy_routes="off") as strict:
        answer = await deposit_by_get(strict)
        expect_problem(answer, 405)
        assert "GET" not in answer.headers["Allow"]
        assert (await deposit_by_post(strict)).status == 200


async def test_only_the_deposit_by_get_is_deprecated(shop: Gateway) -> None:
    document = (await shop.http.get(f"{shop.url}/schema/openapi.json")).json
    operations = {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert [name for name, operation in operations.items() if operation.get("deprecated")] == [
        "GET /accounts/{userId}/deposit"
    ]
