"""Every order of a batch has its own outcome, and a key makes it safe to ask again."""

import json
from typing import Any

import pytest

from tests.spec.scenario import (
    KiB,
    assert_order,
    assert_problem,
    expect,
    expect_problem,
    for_each,
    new_user,
    together,
)
from tests.spec.store import Store

Outcome = dict[str, Any]

# Items, and the field to blame.
MALFORMED_ITEMS = [
    (5, None),
    (None, None),
    ("order", None),
    ([], None),
    ({}, "userId"),
    ({"userId": "{user}"}, "amount"),
    ({"userId": "a/b", "amount": 1}, "userId"),
    ({"userId": "{user}", "amount": True}, "amount"),
    ({"userId": "{user}", "amount": 1, "description": "x" * 501}, "description"),
    ({"userId": "{user}", "amount": 1, "colour": "red"}, "colour"),
]


def wish(user: str, amount: object = "1.00", **more: object) -> dict[str, object]:
    return {"userId": user, "amount": amount, **more}


def assert_accepted(outcome: Outcome, *, replayed: bool = False) -> str:
    """The id of an order that was accepted, now or before."""
    assert outcome.keys() == {"status", "order", "replayed"}
    assert (outcome["status"], outcome["replayed"]) == (201, replayed)
    assert_order(outcome["order"])
    return str(outcome["order"]["id"])


def assert_refused(
    outcome: Outcome, status: int, *, code: str | None = None, field: str | None = None
) -> None:
    assert outcome.keys() == {"status", "problem"}
    assert outcome["status"] == outcome["problem"]["status"] == status
    assert_problem(outcome["problem"], code=code, field=field)


async def test_each_order_of_a_batch_has_its_own_outcome_in_the_order_of_the_request(store: Store) -> None:
    rich, poor = await store.open_account(funds="100.00"), await store.open_account(funds="1.00")
    accepted, too_dear, unknown, malformed, also_accepted = await store.in_batch(
        wish(rich, 10, description="first"),
        wish(poor, "1.01"),
        wish(new_user()),
        wish(rich, "0"),
        wish(poor, 0.5),
    )
    assert_accepted(accepted)
    assert_order(accepted["order"], userId=rich, description="first", status="NEW", reason=None)
    assert_refused(too_dear, 402, code="insufficient_funds")
    assert_refused(unknown, 422, code="account_not_found")
    assert_refused(malformed, 400, field="amount")
    assert_accepted(also_accepted)
    assert_order(also_accepted["order"], userId=poor, status="NEW")
    assert [order["id"] for order in await store.orders_of(poor)] == [also_accepted["order"]["id"]]


async def test_the_problem_of_an_item_is_what_the_single_route_answers(store: Store) -> None:
    user = await store.open_account()
    [outcome] = await store.in_batch(wish(user))
    single = await store.order(user, "1.00")
    assert {**outcome["problem"], "instance": ""} == {**single.json, "instance": ""}
    routes = [
        store.orders.partition("//")[2].partition("/")[2],
        store.batch.partition("//")[2].partition("/")[2],
    ]
    assert outcome["problem"]["instance"].lstrip("/") in routes


async def test_each_order_of_a_batch_is_checked_alone_and_the_payment_has_the_last_word(store: Store) -> None:
    user = await store.open_account(funds="15.00")
    outcomes = await store.in_batch(wish(user, 10), wish(user, 10))
    orders = await together(*(store.decided(assert_accepted(outcome)) for outcome in outcomes))
    assert sorted((order["status"], order["reason"]) for order in orders) == [
        ("CANCELLED", "insufficient_funds"),
        ("FINISHED", None),
    ]
    assert str(await store.balance(user)) == "5.00"


async def test_a_malformed_item_is_refused_alone(store: Store) -> None:
    async def refused_alone(row: tuple[object, str | None]) -> None:
        item, field = row
        user = await store.open_account(funds="3.00")
        if isinstance(item, dict) and item.get("userId") == "{user}":
            item = item | {"userId": user}
        first, refused, last = await store.in_batch(wish(user), item, wish(user))
        assert_refused(refused, 400, field=field)
        assert {order["id"] for order in await store.orders_of(user)} == {
            assert_accepted(first),
            assert_accepted(last),
        }

    await for_each(MALFORMED_ITEMS, refused_alone)


async def test_a_key_twice_in_one_batch_is_one_order(store: Store) -> None:
    user = await store.open_account(funds="10.00")
    item = wish(user, idempotencyKey="k")
    first, twin, reused = await store.in_batch(item, item, item | {"amount": "2.00"})
    assert assert_accepted(twin, replayed=True) == assert_accepted(first)
    assert_refused(reused, 422, code="idempotency_key_reused")
    assert len(await store.orders_of(user)) == 1


async def test_a_key_is_1_to_255_printable_ascii_characters(store: Store) -> None:
    async def taken(key: str) -> None:
        user = await store.open_account(funds="10.00")
        item = wish(user, idempotencyKey=key)
        assert_accepted((await store.in_batch(item))[0])
        assert_accepted((await store.in_batch(item))[0], replayed=True)

    await for_each(["k", "k" * 255, " ", "~", 'a "quoted" \\ key'], taken)


async def test_a_malformed_key_is_named(store: Store, bystander: str) -> None:
    async def refused(key: object) -> None:
        [outcome] = await store.in_batch(wish(bystander, idempotencyKey=key))
        assert_refused(outcome, 400, field="idempotencyKey")

    async with store.nothing_changes_for(bystander):
        await for_each(["", "k" * 256, "ключ", "a\n", "a\u0000", "\x7f", 5, True, []], refused)


async def test_a_batch_holds_up_to_200_orders_and_without_keys_none_is_another(
    store: Store,
) -> None:
    user = await store.open_account(funds="200.00")
    outcomes = await store.in_batch(*[wish(user)] * 200)
    assert len({assert_accepted(outcome) for outcome in outcomes}) == 200


@pytest.mark.parametrize("body", ["{}", "5", '"x"', "null", "true", "[]"])
async def test_a_body_that_is_no_array_of_orders_is_refused_whole(store: Store, body: str) -> None:
    expect_problem(await store.http.post(store.batch, body), 400)


async def test_a_batch_of_201_orders_is_refused_whole(store: Store, bystander: str) -> None:
    async with store.nothing_changes_for(bystander):
        expect_problem(await store.http.post(store.batch, [wish(bystander)] * 201), 400)


async def test_a_batch_has_up_to_1_mib(store: Store, bystander: str) -> None:
    user = await store.open_account(funds="1.00")
    item = json.dumps([wish(user)])
    [outcome] = expect(200, await store.http.post(store.batch, item.ljust(1024 * KiB)))
    assert_accepted(outcome)
    async with store.nothing_changes_for(bystander):
        too_long = json.dumps([wish(bystander)]).ljust(1024 * KiB + 1)
        expect_problem(await store.http.post(store.batch, too_long), 413)
