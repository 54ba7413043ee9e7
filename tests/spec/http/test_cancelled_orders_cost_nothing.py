"""An order that is cancelled costs nothing, whether its payment or its cancellation was faster."""

import asyncio
from collections import Counter
from decimal import Decimal
from random import Random
from typing import Any
from urllib.parse import urljoin

from tests.servers.process import eventually
from tests.servers.shop import Shop, ThreeServices
from tests.spec.keyed import KEY
from tests.spec.scenario import Http, assert_order, expect, expect_problem, for_each, money, together
from tests.spec.store import Store

RACES = 1000
USERS = 10
AT_ONCE = 50
NOBODYS = "01970000-0000-7000-8000-000000000000"
OVER = {("CANCELLED", "cancelled_by_user"), ("REFUNDED", None)}


def ending(order: Any) -> tuple[str, str | None]:
    return order["status"], order["reason"]


async def finished(store: Store, user: str, amount: str) -> str:
    order = await store.decided((await store.placed(user, amount))["id"])
    assert order["status"] == "FINISHED"
    return str(order["id"])


async def test_a_request_to_cancel_a_part_of_an_order_does_not_cancel_the_whole(store: Store) -> None:
    user = await store.open_account(funds="60.00")
    order_id = await finished(store, user, "49.99")
    url = f"{store.order_url(order_id)}/cancel"
    async with store.nothing_changes_for(user):
        expect_problem(await store.http.post(url, {"amount": 10}), 400, field="amount")
        expect_problem(await store.http.post(url, ["amount", 10]), 400, field="body")
    expect(202, await store.http.post(url, {}))


async def test_a_finished_order_is_refunded_in_full(store: Store) -> None:
    user = await store.open_account(funds="60.00")
    order_id = await finished(store, user, "49.99")
    under_way = expect(202, await store.cancel(order_id))
    assert_order(under_way, id=order_id, userId=user, status="REFUNDING", reason=None)
    refunded = await store.ended(order_id)
    assert_order(refunded, status="REFUNDED", reason=None)
    unchanged = under_way.keys() - {"status", "updatedAt"}
    assert {name: refunded[name] for name in unchanged} == {name: under_way[name] for name in unchanged}
    assert str(await store.balance(user)) == "60.00"
    assert await store.orders_of(user, status="REFUNDED") == [refunded]
    history = expect(200, await store.http.get(store.history_url(order_id)))
    statuses = [(row["sequence"], row["status"]) for row in history]
    assert statuses == [(1, "NEW"), (2, "FINISHED"), (3, "REFUNDING"), (4, "REFUNDED")]
    lines = expect(200, await store.http.get(store.statement_url(user)))
    assert [(line["kind"], str(line["amount"])) for line in lines] == [
        ("refund", "49.99"),
        ("capture", "-49.99"),
        ("deposit", "60.00"),
    ]


async def test_an_order_that_is_cancelled_at_once_costs_nothing(store: Store) -> None:
    user = await store.open_account(funds="60.00")
    order_id = (await store.placed(user, "50.00"))["id"]
    answer = await store.cancel(order_id)
    assert expect(202, answer)["status"] in ("NEW", "REFUNDING")
    # The answer tells that the refund is under way: when to look again, and where.
    assert int(answer.headers["Retry-After"]) >= 1
    order = expect(200, await store.http.get(urljoin(answer.url, answer.headers["Location"])))
    assert order["id"] == order_id
    assert ending(await store.ended(order_id)) in OVER
    assert str(await store.balance(user)) == "60.00"


async def test_however_often_and_at_the_same_time_an_order_is_cancelled_it_is_refunded_once(
    store: Store,
) -> None:
    user = await store.open_account(funds="60.00")
    order_id = await finished(store, user, "50.00")
    answers = await together(*(store.cancel(order_id) for _ in range(20)))
    accepted = [answer for answer in answers if answer.status == 202]
    assert {answer.json["status"] for answer in accepted} == {"REFUNDING"}
    for late in (answer for answer in answers if answer not in accepted):
        expect_problem(late, 409, code="order_refunded")
    await store.ended(order_id)
    assert str(await store.balance(user)) == "60.00"


async def test_an_order_that_was_declined_or_refunded_cannot_be_cancelled(store: Store) -> None:
    user = await store.open_account(funds="100.00")
    outcomes = await store.in_batch(*({"userId": user, "amount": 60} for _ in range(2)))
    orders = await together(*(store.decided(outcome["order"]["id"]) for outcome in outcomes))
    paid, declined = sorted(orders, key=lambda order: str(order["status"]), reverse=True)
    assert ending(declined) == ("CANCELLED", "insufficient_funds")
    await store.cancelled(paid["id"])
    async with store.nothing_changes_for(user):
        expect_problem(await store.cancel(declined["id"]), 409, code="order_cancelled")
        expect_problem(await store.cancel(paid["id"]), 409, code="order_refunded")


async def test_an_order_that_is_not_there_cannot_be_cancelled(store: Store) -> None:
    expect_problem(await store.cancel(NOBODYS), 404, code="order_not_found")
    await for_each(["1", "abc", NOBODYS[:-1] + "g", "%00"], lambda id: malformed(store, id))


async def malformed(store: Store, order_id: str) -> None:
    expect_problem(await store.cancel(order_id), 400, field="id")


async def test_a_cancellation_takes_a_key_and_names_a_malformed_one(store: Store) -> None:
    user = await store.open_account(funds="1.00")
    url = f"{store.order_url(await finished(store, user, '1.00'))}/cancel"

    async def refused(keys: list[str]) -> None:
        answer = await store.http.post(url, headers=[(KEY, key) for key in keys])
        expect_problem(answer, 400, field=KEY)

    await for_each([[""], ["k" * 256], ["ключ"], ["a", "b"]], refused)
    assert expect(202, await store.http.post(url, headers=[(KEY, "k")]))["status"] == "REFUNDING"


async def test_cancel_against_pay_1000_races_agree_to_the_cent(shop: Shop, gateway: Store, seed: str) -> None:
    """Some wait a moment before they cancel, and some do not cancel at all."""
    dice = Random(seed)
    users = await together(*(gateway.open_account(funds="100000.00") for _ in range(USERS)))
    permits = asyncio.Semaphore(AT_ONCE)
    kept: set[str] = set()

    async def race(user: str, amount: Decimal, wait_s: float | None) -> None:
        async with permits:
            order_id = (await gateway.placed(user, amount))["id"]
            if wait_s is None:
                kept.add(order_id)
                return
            await asyncio.sleep(wait_s)
            expect(202, await gateway.cancel(order_id))

    races = [
        (
            dice.choice(users),
            Decimal(dice.randint(1, 9999)) / 100,
            dice.choice((0, 0, 0.005, 0.02, 0.1, None)),
        )
        for _ in range(RACES)
    ]
    await together(*(race(*it) for it in races))

    async def all_over() -> list[Any]:
        lists = await together(*(gateway.orders_of(user, limit="500") for user in users))
        orders = [order for orders in lists for order in orders]
        under_way = Counter(order["status"] for order in orders if order["id"] not in kept)
        assert under_way.keys() <= {"CANCELLED", "REFUNDED"}, under_way
        assert not any(order["status"] == "NEW" for order in orders)
        return orders

    orders = await eventually(all_over, within=30, every=0.3)
    assert len(orders) == RACES
    assert {ending(order) for order in orders if order["id"] in kept} == {("FINISHED", None)}
    assert {ending(order) for order in orders if order["id"] not in kept} <= OVER
    for user in users:
        paid = [o["amount"] for o in orders if o["userId"] == user and o["id"] in kept]
        assert await gateway.balance(user) == Decimal("100000.00") - sum(map(money, paid))
    await shop.says("audit")


async def test_a_cancellation_outlives_the_death_of_orders_and_of_payments(
    three_services: ThreeServices, http: Http
) -> None:
    store = Store.at_the_gateway(http, three_services)
    user = await store.open_account(funds="100.00")
    old = await finished(store, user, "10.00")
    services = [three_services.processes[name] for name in ("payments", "orders")]
    services[0].kill()
    try:
        new = (await store.placed(user, "20.00"))["id"]
        assert expect(202, await store.cancel(new))["status"] == "NEW"
        assert expect(202, await store.cancel(old))["status"] == "REFUNDING"
        services[1].kill()
    finally:
        for service in services:
            await service.start()
    assert ending(await store.ended(old, within=20)) == ("REFUNDED", None)
    assert ending(await store.ended(new, within=20)) in OVER
    assert str(await store.balance(user)) == "100.00"
