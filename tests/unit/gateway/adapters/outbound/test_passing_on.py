"""Reads, accounts and deposits are passed on as they are, and no change twice that has no key."""

import asyncio
import re
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from gateway.adapters.outbound import http_service
from gateway.application import until_known
from tests.builders import TRACE
from tests.spec.scenario import Answer, Headers, expect, expect_problem
from tests.unit.gateway.conftest import Gateway, a_gateway
from tests.unit.gateway.stub import Reply, Stub, answering, hanging_up, refusing

ORDER_ID = "0198c1a2-7b3c-7d4e-8f50-617283940516"
ODDLY_WRITTEN = b'{ "balance":\t10.10, "\\u0061": 1e2, "new": null }\n'

reads = pytest.mark.parametrize(
    ("path", "service", "target"),
    [
        ("/accounts/alice", "payments", "GET /api/Accounts/alice"),
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


@reads
async def test_a_read_is_answered_byte_by_byte_as_the_service_answered(
    shop: Gateway, path: str, service: str, target: str
) -> None:
    behind = getattr(shop, service)
    behind.reply = answering(ODDLY_WRITTEN)
    answer = await shop.http.get(shop.url + path)
    assert (answer.status, answer.body) == (200, ODDLY_WRITTEN)
    assert answer.headers["Content-Type"] == "application/json"
    assert behind.targets == [target]


async def test_links_and_locations_are_the_gateways(shop: Gateway) -> None:
    shop.orders.reply = answering("[]", Link='</api/Order?limit=1&after=x>; rel="next"')
    page = await shop.http.get(f"{shop.url}/orders?limit=1")
    assert page.headers["Link"] == '</orders?limit=1&after=x>; rel="next"'
    shop.payments.reply = answering("{}", 201, Location="/api/Accounts/alice")
    opened = await shop.http.post(f"{shop.url}/accounts", {"userId": "alice"})
    assert (opened.status, opened.headers["Location"]) == (201, "/accounts/alice")


async def test_tags_of_versions_travel_both_ways(shop: Gateway) -> None:
    tags = 'W/"one", "two"'
    shop.orders.reply = answering(b"", 304, ETag='"two"')
    answer = await shop.http.get(f"{shop.url}/orders/{ORDER_ID}", [("If-None-Match", tags)])
    assert (answer.status, answer.body, answer.headers["ETag"]) == (304, b"", '"two"')
    assert shop.orders.calls[0].headers["If-None-Match"] == tags


async def test_a_head_is_passed_on_as_the_read_that_it_stands_for(shop: Gateway) -> None:
    shop.payments.reply = answering(ODDLY_WRITTEN)
    answer = await shop.http("HEAD", f"{shop.url}/accounts/alice")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["Content-Length"] == str(len(ODDLY_WRITTEN))
    assert shop.payments.targets == ["GET /api/Accounts/alice"]


async def test_a_problem_is_about_the_gateways_route(shop: Gateway) -> None:
    shop.payments.reply = refusing(404, "account_not_found", "/api/Accounts/alice")
    expect_problem(await shop.http.get(f"{shop.url}/accounts/alice"), 404, code="account_not_found")


async def test_a_service_that_asks_to_come_back_later_is_heard(shop: Gateway) -> None:
    shop.payments.reply = answering("{}", 503, **{"Retry-After": "7"})
    assert (await shop.http.get(f"{shop.url}/accounts/alice")).headers["Retry-After"] == "7"


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


Write = Callable[..., Awaitable[Answer]]
WITH_A_KEY = [("Idempotency-Key", "k 1")]


async def deposit_by_post(shop: Gateway, headers: Headers = ()) -> Answer:
    return await shop.http.post(f"{shop.url}/accounts/alice/deposit", {"amount": 1}, headers)


async def deposit_by_get(shop: Gateway, headers: Headers = ()) -> Answer:
    return await shop.http.get(f"{shop.url}/accounts/alice/deposit?amount=1", headers)


async def opening(shop: Gateway, headers: Headers = ()) -> Answer:
    return await shop.http.post(f"{shop.url}/accounts", {"userId": "alice"}, headers)


def in_turn(*replies: Reply) -> Reply:
    """One reply after the other."""
    left = iter(replies)

    async def reply(request: web.Request) -> web.StreamResponse:
        return await next(left)(request)

    return reply


def keys(service: Stub) -> list[str]:
    return [call.headers["Idempotency-Key"] for call in service.calls]


writes = pytest.mark.parametrize("write", [deposit_by_post, deposit_by_get, opening])


@writes
async def test_a_change_whose_answer_was_lost_is_not_repeated_and_its_outcome_is_unknown(
    shop: Gateway, write: Write
) -> None:
    shop.payments.reply = answering("{}")
    await write(shop)  # now there is a connection that is kept alive
    shop.payments.calls.clear()
    shop.payments.reply = hanging_up
    expect_problem(await write(shop), 504, code="outcome_unknown")
    assert len(shop.payments.calls) == 1


@writes
async def test_a_change_with_a_key_is_repeated_until_its_answer_is_known(shop: Gateway, write: Write) -> None:
    first = answering("{}", 201, **{"Idempotency-Replayed": "true"})
    busy = refusing(503, "overloaded", "/api/Accounts")
    shop.payments.reply = in_turn(hanging_up, answering("", 502), busy, hanging_up, first)
    answer = await write(shop, WITH_A_KEY)
    assert (answer.status, answer.headers["Idempotency-Replayed"]) == (201, "true")
    assert keys(shop.payments) == ["k 1"] * 5


@writes
async def test_a_change_with_a_key_whose_outcome_stays_unknown_is_told_so(
    shop: Gateway, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(until_known, "ANSWER_WITHIN_S", 0.3)
    shop.payments.reply = hanging_up
    expect_problem(await write(shop, WITH_A_KEY), 504, code="outcome_unknown")
    assert len(keys(shop.payments)) > 1


async def test_a_refusal_of_a_change_with_a_key_needs_no_repeat(shop: Gateway) -> None:
    for status, code in ((404, "account_not_found"), (503, "overloaded")):
        shop.payments.reply = refusing(status, code, "/api/Accounts/alice/deposit")
        expect_problem(await deposit_by_post(shop, WITH_A_KEY), status, code=code)
    assert len(shop.payments.calls) == 2


@pytest.mark.parametrize("status", [502, 504])
async def test_a_proxy_that_lost_an_answer_tells_nothing_of_the_outcome(shop: Gateway, status: int) -> None:
    shop.payments.reply = answering("<html>", status, **{"Content-Type": "text/html"})
    expect_problem(await deposit_by_post(shop), 504, code="outcome_unknown")


@writes
@pytest.mark.parametrize("headers", [[], WITH_A_KEY], ids=["without a key", "with a key"])
async def test_a_change_that_was_never_sent_may_be_tried_again(
    shop: Gateway, write: Write, headers: Headers
) -> None:
    await shop.payments.stop()
    answer = await write(shop, headers)
    expect_problem(answer, 503, code="unavailable")
    assert answer.headers["Retry-After"]


async def test_a_change_that_takes_too_long_is_of_unknown_outcome(
    shop: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(60)
        return web.Response()

    monkeypatch.setattr(http_service, "WRITE_WITHIN_S", 0.2)
    shop.payments.reply = never
    expect_problem(await deposit_by_post(shop), 504, code="outcome_unknown")


@pytest.mark.parametrize("path", ["/accounts/alice", f"/orders/{ORDER_ID}", "/orders"])
async def test_a_read_without_an_answer_may_be_tried_again(shop: Gateway, path: str) -> None:
    shop.orders.reply = shop.payments.reply = hanging_up
    expect_problem(await shop.http.get(shop.url + path), 503, code="unavailable")
    await shop.orders.stop()
    await shop.payments.stop()
    answer = await shop.http.get(shop.url + path)
    expect_problem(answer, 503, code="unavailable")
    assert answer.headers["Retry-After"]


async def test_a_cancellation_is_passed_on_and_answered_as_the_service_answered(shop: Gateway) -> None:
    shop.orders.reply = answering(ODDLY_WRITTEN, 202)
    answer = await shop.http.post(f"{shop.url}/orders/{ORDER_ID.upper()}/cancel")
    assert (answer.status, answer.body) == (202, ODDLY_WRITTEN)
    assert shop.orders.targets == [f"POST /api/Order/{ORDER_ID}/cancel"]
    shop.orders.reply = refusing(409, "order_refunded", f"/api/Order/{ORDER_ID}/cancel")
    refused = await shop.http.post(f"{shop.url}/orders/{ORDER_ID}/cancel")
    expect_problem(refused, 409, code="order_refunded")


async def test_a_cancellation_is_repeated_until_its_answer_is_known(shop: Gateway) -> None:
    busy, first = refusing(503, "overloaded", "/"), answering(ODDLY_WRITTEN, 202)
    shop.orders.reply = in_turn(hanging_up, answering("", 502), busy, hanging_up, first)
    answer = await shop.http.post(f"{shop.url}/orders/{ORDER_ID}/cancel")
    assert (answer.status, answer.body) == (202, ODDLY_WRITTEN)
    assert len(shop.orders.calls) == 5


async def test_a_cancellation_that_was_never_sent_may_be_tried_again(shop: Gateway) -> None:
    await shop.orders.stop()
    answer = await shop.http.post(f"{shop.url}/orders/{ORDER_ID}/cancel")
    expect_problem(answer, 503, code="unavailable")
    assert answer.headers["Retry-After"]


async def test_a_read_whose_connection_broke_is_asked_once_more(shop: Gateway) -> None:
    shop.payments.reply = in_turn(hanging_up, answering(ODDLY_WRITTEN))
    answer = await shop.http.get(f"{shop.url}/accounts/alice")
    assert (answer.status, answer.body) == (200, ODDLY_WRITTEN)
    assert len(shop.payments.calls) == 2


async def test_the_gateway_is_ready_without_its_services(shop: Gateway) -> None:
    await shop.orders.stop()
    await shop.payments.stop()
    expect(200, await shop.http.get(f"{shop.url}/health/ready"))


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
