"""Reads, accounts and deposits are passed on as they are, and no change twice that has no key."""

import pytest

from tests.builders import TRACE
from tests.spec.scenario import expect_problem
from tests.unit.gateway.adapters.outbound.calls import ODDLY_WRITTEN, ORDER_ID, deposit_by_get
from tests.unit.gateway.conftest import Gateway
from tests.unit.gateway.stub import answering, refusing


@pytest.mark.parametrize(
    ("path", "service", "target"),
    [
        ("/accounts/alice", "payments", "GET /api/Accounts/alice"),
        (
            "/accounts/alice?at=2026-01-01T03:00:00%2B03:00",
            "payments",
            "GET /api/Accounts/alice?at=2026-01-01T00:00:00%2B00:00",
        ),
        ("/accounts/a%40b%7Cc:d-e_f.g", "payments", "GET /api/Accounts/a%40b%7Cc%3Ad-e_f.g"),
        ("/accounts/a%7Cb/transactions", "payments", "GET /api/Accounts/a%7Cb/transactions?limit=100"),
        (
            "/accounts/alice/transactions?after=17&limit=3",
            "payments",
            "GET /api/Accounts/alice/transactions?after=17&limit=3",
        ),
        (f"/orders/{ORDER_ID}/history", "orders", f"GET /api/Order/{ORDER_ID}/history"),
        (f"/orders/{ORDER_ID}/history?after=1", "orders", f"GET /api/Order/{ORDER_ID}/history?after=1"),
        (f"/orders/{ORDER_ID.upper()}", "orders", f"GET /api/Order/{ORDER_ID}"),
        ("/orders", "orders", "GET /api/Order?limit=100"),
        (
            f"/orders?userId=a%40b%7Cc&status=NEW&after={ORDER_ID}&limit=7",
            "orders",
            f"GET /api/Order?userId=a@b%7Cc&status=NEW&after={ORDER_ID}&limit=7",
        ),
    ],
)
async def test_a_read_is_answered_byte_by_byte_as_the_service_answered(
    shop: Gateway, path: str, service: str, target: str
) -> None:
    behind = getattr(shop, service)
    behind.reply = answering(ODDLY_WRITTEN)
    answer = await shop.http.get(shop.url + path)
    assert (answer.status, answer.body) == (200, ODDLY_WRITTEN)
    assert answer.headers["Content-Type"] == "application/json"
    assert behind.targets == [target]


async def test_a_caller_whom_a_service_does_not_believe_is_asked_for_another_token(shop: Gateway) -> None:
    told = 'Bearer realm="shop", error="invalid_token"'
    shop.orders.reply = answering("{}", 401, **{"WWW-Authenticate": told})
    answer = await shop.http.get(f"{shop.url}/orders/{ORDER_ID}")
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, told)


async def test_callers_of_a_gateway_that_a_service_does_not_believe_are_asked_to_wait_and_the_log_says_why(
    shop: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    shop.orders.reply = refusing(401, "unauthorized", "/api/Order/batch")
    for _ in range(2):
        placed = await shop.http.post(f"{shop.url}/orders", {"userId": "alice", "amount": 1})
        expect_problem(placed, 503, code="unavailable")
        assert "Retry-After" in placed.headers
    (line,) = [message for message in caplog.messages if "the orders service" in message]
    assert "does not accept the token of its caller: SHOP_AUTH and SHOP_SERVICE_KEY" in line


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_nobody_is_called_because_a_service_says_so(shop: Gateway, status: int) -> None:
    shop.orders.reply = answering("{}", status, Location=f"{shop.payments.url}/api/Accounts/alice")
    await shop.http.get(f"{shop.url}/orders/{ORDER_ID}")
    assert len(shop.orders.calls) == 1
    assert shop.payments.calls == []


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (503, {"Retry-After": "7"}),
        (429, {"Retry-After": "7", "RateLimit": '"user";r=0;t=7', "RateLimit-Policy": '"user";q=5;w=60'}),
    ],
)
async def test_a_caller_is_told_when_a_service_wants_them_back(
    shop: Gateway, status: int, told: dict[str, str]
) -> None:
    shop.payments.reply = answering("{}", status, **told)
    answer = await shop.http.get(f"{shop.url}/accounts/alice")
    assert answer.status == status
    assert {name: answer.headers[name] for name in told} == told


async def test_a_deposit_by_get_travels_as_a_post_without_a_key(shop: Gateway) -> None:
    shop.payments.reply = answering(ODDLY_WRITTEN)
    answer = await deposit_by_get(shop)
    assert (answer.status, answer.body) == (200, ODDLY_WRITTEN)
    assert shop.payments.targets == ["POST /api/Accounts/alice/deposit"]
    assert "Idempotency-Key" not in shop.payments.calls[0].headers


async def test_a_trace_goes_on(shop: Gateway) -> None:
    headers = {"traceparent": TRACE}
    async with (
        shop.session.get(f"{shop.url}/accounts/alice", headers=headers),
        shop.session.post(f"{shop.url}/accounts", json={"userId": "alice"}, headers=headers),
    ):
        pass
    assert [call.headers["traceparent"] for call in shop.payments.calls] == [TRACE, TRACE]


async def test_a_body_is_passed_on_in_one_spelling(shop: Gateway) -> None:
    await shop.http.post(f"{shop.url}/accounts", '{ "userId" : 7 }')
    await shop.http.post(f"{shop.url}/accounts/7/deposit", '{"amount": "10.5"}')
    assert shop.payments.targets == ["POST /api/Accounts", "POST /api/Accounts/7/deposit"]
    assert shop.payments.bodies == [{"userId": "7"}, {"amount": 10.5}]


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "/accounts", {"userId": "a/b"}, "userId"),
        ("POST", "/accounts", {"userId": "a", "colour": "red"}, "colour"),
        ("POST", "/accounts/_a/deposit", {"amount": 1}, "userId"),
        ("POST", "/accounts/a/deposit", {"amount": 0}, "amount"),
        ("GET", "/accounts/a%20b", None, "userId"),
        ("GET", "/accounts/a?at=2026-01-01T00:00:00+03:00", None, "at"),
        ("GET", "/accounts/a/deposit", None, "amount"),
        ("GET", "/accounts/a/deposit?amount=1&amount=1", None, "amount"),
        ("GET", "/accounts/a/deposit?amount=1e2", None, "amount"),
        ("GET", "/orders/1", None, "id"),
        ("GET", "/orders?userId=a%2Fb", None, "userId"),
        ("GET", "/orders?status=PAID", None, "status"),
        ("GET", "/orders?after=1", None, "after"),
        ("GET", "/orders/1/history", None, "id"),
        ("GET", f"/orders/{ORDER_ID}/history?after=x", None, "after"),
        ("GET", "/accounts/a%20b/transactions", None, "userId"),
        ("GET", "/accounts/a/transactions?after=-1", None, "after"),
        ("GET", f"/accounts/a/transactions?after={2**63}", None, "after"),
        ("GET", "/accounts/a/transactions?limit=0", None, "limit"),
        ("GET", "/orders?limit=501", None, "limit"),
        ("POST", "/orders", {"userId": "a"}, "amount"),
        ("POST", "/orders/1/cancel", None, "id"),
    ],
)
async def test_nothing_malformed_travels(
    shop: Gateway, method: str, path: str, body: object, field: str
) -> None:
    expect_problem(await shop.http(method, shop.url + path, body), 400, field=field)
    assert shop.orders.calls == shop.payments.calls == []
