"""Each order of a joined call keeps its trace and the id of its call."""

import asyncio

import pytest

from kernel.adapters.trace_context import valid
from tests.builders import TRACE
from tests.unit.gateway.application.shelf import Shelf, place
from tests.unit.gateway.conftest import Gateway


@pytest.fixture
def shelf(shop: Gateway) -> Shelf:
    shop.orders.reply = shelf = Shelf()
    return shelf


async def test_a_call_for_one_order_goes_on_with_its_trace(shop: Gateway, shelf: Shelf) -> None:
    wish = {"userId": "alice", "amount": 1}
    async with shop.session.post(f"{shop.url}/orders", json=wish, headers={"traceparent": TRACE}):
        pass
    (call,) = shop.orders.calls
    assert call.headers["traceparent"] == call.headers["shop-traceparents"] == TRACE


async def test_a_call_for_many_orders_has_a_trace_of_its_own_and_tells_theirs(
    shop: Gateway, shelf: Shelf
) -> None:
    wishes = [{"userId": "alice", "amount": 1}] * 2
    async with shop.session.post(f"{shop.url}/orders/batch", json=wishes, headers={"traceparent": TRACE}):
        pass
    (call,) = shop.orders.calls
    assert call.headers["shop-traceparents"] == f"{TRACE},{TRACE}"
    assert valid(call.headers["traceparent"]) not in ("", TRACE)


async def test_an_order_whose_client_names_nothing_has_a_trace_that_names_it(
    shop: Gateway, shelf: Shelf
) -> None:
    placed = await place(shop)
    (call,) = shop.orders.calls
    trace = call.headers["shop-traceparents"]
    assert valid(trace)
    assert placed.headers["X-Request-Id"] == call.headers["X-Request-Id"] == trace[3:35]
    assert "shop-request-ids" not in call.headers


async def test_each_order_of_a_joined_call_keeps_the_id_of_its_own_call(shop: Gateway, shelf: Shelf) -> None:
    ids = [f"call-{number}" for number in range(5)]
    answers = await asyncio.gather(*(place(shop, headers=[("X-Request-Id", own_id)]) for own_id in ids))
    assert [answer.headers["X-Request-Id"] for answer in answers] == ids
    sent = ",".join(call.headers["shop-request-ids"] for call in shop.orders.calls)
    assert sorted(sent.split(",")) == ids
    for call in shop.orders.calls:
        own_ids = call.headers["shop-request-ids"].split(",")
        assert len(own_ids) > 1 or call.headers["X-Request-Id"] == own_ids[0]


async def test_names_that_do_not_fit_into_one_head_go_in_several_calls(shop: Gateway, shelf: Shelf) -> None:
    ids = [f"{number:0128}" for number in range(150)]
    answers = await asyncio.gather(*(place(shop, headers=[("X-Request-Id", own_id)]) for own_id in ids))
    assert {answer.status for answer in answers} == {201}
    sent = []
    for call in shop.orders.calls:
        assert sum(len(name) + len(line) + 4 for name, line in call.raw_headers) < 16 * 1024
        sent += ",".join(call.headers.getall("shop-request-ids")).split(",")
    assert sorted(sent) == ids
