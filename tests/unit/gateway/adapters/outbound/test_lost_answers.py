"""What the gateway says of a call whose answer was lost."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from gateway.adapters.outbound import http_service
from gateway.application import until_known
from tests.spec.scenario import Answer, Headers, expect_problem
from tests.unit.gateway.adapters.outbound.calls import (
    ODDLY_WRITTEN,
    ORDER_ID,
    deposit_by_get,
    deposit_by_post,
)
from tests.unit.gateway.conftest import Gateway
from tests.unit.gateway.stub import Reply, Stub, answering, hanging_up, refusing

Write = Callable[..., Awaitable[Answer]]
WITH_A_KEY = [("Idempotency-Key", "k 1")]


async def opening(shop: Gateway, headers: Headers = ()) -> Answer:
    return await shop.http.post(f"{shop.url}/accounts", {"userId": "alice"}, headers)


def in_turn(*replies: Reply) -> Reply:
    """Answers with one reply after the other."""
    left = iter(replies)

    async def reply(request: web.Request) -> web.StreamResponse:
        return await next(left)(request)

    return reply


def keys(service: Stub) -> list[str]:
    return [call.headers["Idempotency-Key"] for call in service.calls]


async def cancelling(shop: Gateway, headers: Headers = ()) -> Answer:
    return await shop.http.post(f"{shop.url}/orders/{ORDER_ID}/cancel", headers=headers)


WRITES = [deposit_by_post, deposit_by_get, opening]
writes = pytest.mark.parametrize("write", WRITES)


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


@pytest.mark.parametrize("write", [*WRITES, cancelling])
@pytest.mark.parametrize("headers", [[], WITH_A_KEY], ids=["without a key", "with a key"])
async def test_a_change_that_was_never_sent_may_be_tried_again(
    shop: Gateway, write: Write, headers: Headers
) -> None:
    await shop.orders.stop()
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
    expect_problem(await cancelling(shop), 409, code="order_refunded")


async def test_a_cancellation_is_repeated_until_its_answer_is_known(shop: Gateway) -> None:
    busy, first = refusing(503, "overloaded", "/"), answering(ODDLY_WRITTEN, 202)
    shop.orders.reply = in_turn(hanging_up, answering("", 502), busy, hanging_up, first)
    answer = await cancelling(shop)
    assert (answer.status, answer.body) == (202, ODDLY_WRITTEN)
    assert len(shop.orders.calls) == 5


async def test_a_read_whose_connection_broke_is_asked_once_more(shop: Gateway) -> None:
    shop.payments.reply = in_turn(hanging_up, answering(ODDLY_WRITTEN))
    answer = await shop.http.get(f"{shop.url}/accounts/alice")
    assert (answer.status, answer.body) == (200, ODDLY_WRITTEN)
    assert len(shop.payments.calls) == 2
