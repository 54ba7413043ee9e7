"""Orders of many callers share calls of the orders service, and each caller gets the outcome of their own."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web

from gateway.application.place_orders import PlaceOrders
from gateway.domain.orders import Outcome, PlacementRequest, Rejected
from kernel.adapters.system_clock import SystemClock
from kernel.application import group_commit
from kernel.domain.caller import ANYONE
from kernel.domain.errors import OutcomeUnknown, Unavailable
from tests.spec.scenario import expect, expect_problem, together
from tests.unit.gateway.application.shelf import Item, Shelf, place
from tests.unit.gateway.conftest import Gateway
from tests.unit.gateway.stub import answering, problem, refusing

ORDER_ID = "0198c1a2-7b3c-7d4e-8f50-617283940516"
ODDLY_WRITTEN = f'{{ "new": [1e2],\t"id": "{ORDER_ID}", "status": "NEW" }}'


@pytest.fixture
def shelf(shop: Gateway) -> Shelf:
    shop.orders.reply = shelf = Shelf()
    return shelf


def keys(batch: Sequence[Item]) -> list[str]:
    return [item["idempotencyKey"] for item in batch]


async def place_batch(shop: Gateway, *items: object) -> Any:
    return expect(200, await shop.http.post(f"{shop.url}/orders/batch", list(items)))


async def test_an_order_is_passed_on_byte_by_byte_and_has_a_location(shop: Gateway) -> None:
    shop.orders.reply = answering(f'[{{"status": 201, "order": {ODDLY_WRITTEN}, "replayed": false}}]')
    answer = await place(shop)
    assert (answer.status, answer.body.decode()) == (201, ODDLY_WRITTEN)
    assert answer.headers["Location"] == f"/orders/{ORDER_ID}"
    assert "Idempotency-Replayed" not in answer.headers
    assert shop.orders.targets == ["POST /api/Order/batch"]
    expect(200, await shop.http.post(f"{shop.url}/orders/batch", [{"userId": "alice", "amount": 1}]))


async def test_a_refused_order_is_answered_with_its_problem(shop: Gateway, shelf: Shelf) -> None:
    expect_problem(await place(shop, "poor"), 402, code="insufficient_funds")


async def test_each_order_travels_with_a_key_of_the_gateways_own(shop: Gateway, shelf: Shelf) -> None:
    await place(shop)
    await place(shop)
    (first,), (second,) = map(keys, shop.orders.bodies)
    assert first < second
    assert {UUID(key).version for key in (first, second)} == {7}


async def test_orders_that_wait_travel_together_and_each_caller_gets_their_own(
    shop: Gateway, shelf: Shelf
) -> None:
    answers = await together(*(place(shop, description=f"number {n}") for n in range(500)))
    assert [answer.json["description"] for answer in answers] == [f"number {n}" for n in range(500)]
    assert len({answer.json["id"] for answer in answers}) == 500
    sizes = [len(batch) for batch in shop.orders.bodies]
    assert sum(sizes) == 500
    assert max(sizes) <= 200
    assert len(sizes) < 100


async def test_at_most_two_calls_are_in_flight(shop: Gateway, shelf: Shelf) -> None:
    in_flight: list[int] = [0]

    async def slow(request: web.Request) -> web.StreamResponse:
        in_flight.append(in_flight[-1] + 1)
        await asyncio.sleep(0.02)
        in_flight.append(in_flight[-1] - 1)
        return await shelf(request)

    shop.orders.reply = slow
    await together(*(place_batch(shop, *[{"userId": "alice", "amount": 1}] * 200) for _ in range(4)))
    assert max(in_flight) == 2


async def test_a_batch_whose_answer_was_lost_is_repeated_with_the_same_keys(
    shop: Gateway, shelf: Shelf
) -> None:
    shelf.loses_answers = 2
    answer = await place(shop)
    assert answer.status == 201
    assert "Idempotency-Replayed" not in answer.headers
    first, second, third = map(keys, shop.orders.bodies)
    assert first == second == third
    assert len(shelf.orders) == 1


async def test_a_refusal_after_a_lost_answer_does_not_say_that_nothing_happened(
    shop: Gateway, shelf: Shelf
) -> None:
    """The lost call may still be at work on a replica that stalled, and store the order afterwards."""
    shelf.loses_answers = 1
    expect_problem(await place(shop, "poor"), 504, code="outcome_unknown")
    expect_problem(await place(shop, "poor"), 402, code="insufficient_funds")


async def test_replays_are_shown_of_the_clients_keys_only(shop: Gateway, shelf: Shelf) -> None:
    items = {"userId": "alice", "amount": 1}, {"userId": "alice", "amount": 1, "idempotencyKey": "once"}
    shelf.loses_answers = 1
    own, clients = await place_batch(shop, *items)
    assert (own["replayed"], clients["replayed"]) == (False, True)
    (own_key, clients_key), *_ = map(keys, shop.orders.bodies)
    assert UUID(own_key).version == 7
    assert clients_key == "once"


async def test_a_clients_key_travels_with_the_order_and_its_replay_is_shown(
    shop: Gateway, shelf: Shelf
) -> None:
    answers = [await place(shop, headers=[("Idempotency-Key", 'my "key"')]) for _ in range(2)]
    assert [answer.headers.get("Idempotency-Replayed") for answer in answers] == [None, "true"]
    assert list(map(keys, shop.orders.bodies)) == [['my "key"']] * 2


async def test_malformed_items_stay_here_and_the_others_keep_their_places(
    shop: Gateway, shelf: Shelf
) -> None:
    placed, malformed, refused, no_object = await place_batch(
        shop,
        {"userId": "alice", "amount": 1},
        {"userId": "alice", "amount": 0},
        {"userId": "poor", "amount": 1},
        5,
    )
    assert placed.keys() == {"status", "order", "replayed"}
    assert [item["status"] for item in (placed, malformed, refused, no_object)] == [201, 400, 402, 400]
    assert malformed["problem"]["errors"][0]["field"] == "amount"
    assert {item["problem"]["instance"] for item in (malformed, refused, no_object)} == {"/orders"}
    assert [item["userId"] for item in shop.orders.bodies[0]] == ["alice", "poor"]


async def test_a_batch_of_nothing_but_malformed_items_does_not_travel(shop: Gateway) -> None:
    assert [item["status"] for item in await place_batch(shop, {}, None)] == [400, 400]
    assert shop.orders.calls == []


async def test_a_failure_at_one_order_fails_no_other(shop: Gateway, shelf: Shelf) -> None:
    shelf.fails_at = "poison"
    wishes = [{"userId": "alice", "amount": 1, "description": f"{n}"} for n in range(10)]
    wishes[7]["description"] = "poison"
    items = await place_batch(shop, *wishes)
    assert [item["status"] for item in items] == [201] * 7 + [500] + [201] * 2
    assert items[7]["problem"]["code"] == "internal_error"
    assert not any(item["replayed"] for item in items if item["status"] == 201)
    assert len(shelf.orders) == 9
    expect_problem(await place(shop, description="poison"), 500, code="internal_error")


async def test_an_order_that_was_never_sent_may_be_tried_again(shop: Gateway) -> None:
    await shop.orders.stop()
    answer = await place(shop)
    expect_problem(answer, 503, code="unavailable")
    assert answer.headers["Retry-After"]
    [item] = await place_batch(shop, {"userId": "alice", "amount": 1})
    assert (item["status"], item["problem"]["instance"]) == (503, "/orders")


async def test_a_service_that_is_overloaded_has_done_nothing(shop: Gateway) -> None:
    shop.orders.reply = refusing(503, "overloaded", "/api/Order/batch")
    answer = await place(shop)
    expect_problem(answer, 503)
    assert answer.headers["Retry-After"]


async def test_an_order_that_comes_when_too_many_wait_is_told_to_come_again(
    shop: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise Unavailable("too many calls are waiting", code="overloaded")

    monkeypatch.setattr(PlaceOrders, "__call__", full)
    for headers in ([], [("Prefer", "wait=1")]):
        answer = await place(shop, headers=headers)
        expect_problem(answer, 503, code="overloaded")
        assert answer.headers["Retry-After"]


async def test_an_order_that_the_service_could_not_store_may_be_tried_again(shop: Gateway) -> None:
    refusal = {"status": 503, "problem": problem(503, "database_unavailable", "/api/Order")}
    shop.orders.reply = answering(json.dumps([refusal]))
    answer = await place(shop)
    expect_problem(answer, 503, code="database_unavailable")
    assert answer.headers["Retry-After"]


class HastyClock(SystemClock):
    """Every sleep takes three seconds of nobody's time."""

    def __init__(self) -> None:
        self._passed_s = 0.0

    def monotonic(self) -> float:
        return self._passed_s

    async def sleep(self, seconds: float) -> None:
        self._passed_s += 3


ORDER = PlacementRequest(caller=ANYONE, user_id="alice", body=b"{}", own_key=True)


async def test_an_outcome_that_stays_unknown_for_10_s_is_told_as_unknown() -> None:
    sent: list[PlacementRequest] = []

    async def lose(orders: Sequence[PlacementRequest]) -> Sequence[Outcome]:
        sent.extend(orders)
        raise OutcomeUnknown("lost")

    [outcome] = await PlaceOrders(lose, HastyClock())([ORDER])
    assert isinstance(outcome, OutcomeUnknown)
    assert sent == [ORDER] * 5


async def test_nobody_waits_longer_than_that(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(_: Sequence[PlacementRequest]) -> Sequence[Outcome]:
        await asyncio.sleep(60)
        return []

    monkeypatch.setattr(group_commit, "ANSWER_WITHIN_S", 0.05)
    outcomes = await PlaceOrders(never, SystemClock())([ORDER] * 2)
    assert [type(outcome) for outcome in outcomes] == [OutcomeUnknown] * 2


async def test_where_not_all_orders_fit_into_a_call_those_of_one_kind_travel_together() -> None:
    sent: list[str] = []

    async def refuse(orders: Sequence[PlacementRequest]) -> Sequence[Outcome]:
        sent.append("".join(order.user_id for order in orders))
        return [Rejected(402, b"{}")] * len(orders)

    place_orders = PlaceOrders(refuse, SystemClock(), kind_of=lambda order: ord(order.user_id))
    await asyncio.gather(*(place_orders([replace(ORDER, user_id=user)]) for user in "ab" * 150))
    assert sent == ["a" * 150, "b" * 150]
