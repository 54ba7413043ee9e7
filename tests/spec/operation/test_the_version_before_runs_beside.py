"""While a release is under way, services of the version before run with those of this one, and on its schema:
every order is decided, and none is lost. docs/recipes/upgrading.md says in which order they are replaced."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shop.audit.auditing import audit
from shop.services import load_shop
from tests.servers.before import BEFORE, extract_before, of_before
from tests.servers.process import eventually
from tests.servers.shop import LANES, ThreeServices
from tests.spec.scenario import Http, expect, expect_problem, together
from tests.spec.store import Store

FUTURE = "2126-01-01T00:00:00Z"
knows_no_lanes = pytest.mark.skipif(LANES > 1, reason="the version before knows no lanes")


@pytest.fixture(scope="module")
def code(scratch: Path) -> Path:
    """The tree of the version before. The tests do not run where the clone does not have it."""
    folder = scratch / "version-before"
    if said := extract_before(folder):
        pytest.skip(f"did not run: this clone does not have the commit {BEFORE}: {said}")
    return folder


async def end_of(store: Store, order_id: str) -> tuple[str, Any]:
    order = await store.decided(order_id, within=20)
    return order["status"], order["reason"]


async def placed_while_payments_is_away(store: Store, user: str) -> tuple[str, str]:
    """One order whose time is over now, and one whose time is not."""
    soon = (datetime.now(UTC) + timedelta(seconds=2)).isoformat()
    late, fine = await store.in_batch(
        *({"userId": user, "amount": "1.00", "payBy": pay_by} for pay_by in (soon, FUTURE))
    )
    await eventually(lambda: datetime.now(UTC) > datetime.fromisoformat(soon))
    return late["order"]["id"], fine["order"]["id"]


async def orders_of_all_kinds(store: Store, *, before: str) -> tuple[str, list[str]]:
    """Orders are placed, paid, refused and cancelled while this service is of the version before.

    Returns the user, and the ids of 10 orders, some of which are under way when the version changes.
    """
    user = await store.open_account(funds="30.00")
    outcomes = await store.in_batch(*[{"userId": user, "amount": "1.00"}] * 10)
    placed = [outcome["order"]["id"] for outcome in outcomes]
    placed += [order["id"] for order in await together(*(store.placed(user, "1.00") for _ in range(5)))]
    expect_problem(await store.order(user, "30.01"), 402, code="insufficient_funds")
    if before != "payments":  # It is indeed the version before: it does not know the field.
        timed = await store.http.post(store.orders, {"userId": user, "amount": "1.00", "payBy": FUTURE})
        expect_problem(timed, 400, field="payBy")
    assert await together(*(end_of(store, id) for id in placed)) == [("FINISHED", None)] * 15
    assert (await store.cancelled(placed[0]))["status"] == "REFUNDED"
    return user, [order["id"] for order in await together(*(store.placed(user, "1.00") for _ in range(10)))]


async def came_out_right(shop: ThreeServices, store: Store, user: str, under_way: list[str]) -> None:
    """After all services are of this version again."""
    assert await together(*(end_of(store, id) for id in under_way)) == [("FINISHED", None)] * 10
    assert len(await store.orders_of(user)) == 25
    assert str(await store.balance(user)) == "6.00"
    report = await audit(load_shop(shop.database_settings))
    assert report.sound, report.faults


async def test_a_gateway_of_before_serves_the_services_of_today(
    three_services: ThreeServices, http: Http, code: Path
) -> None:
    store = Store.at_the_gateway(http, three_services)
    async with of_before(three_services, "gateway", code):
        user, under_way = await orders_of_all_kinds(store, before="gateway")
    await came_out_right(three_services, store, user, under_way)


@knows_no_lanes
async def test_orders_of_before_take_the_answers_of_payments_of_today(
    three_services: ThreeServices, http: Http, code: Path
) -> None:
    store = Store.at_the_gateway(http, three_services)
    buyer = await store.open_account(funds="10.00")
    async with three_services.without("payments"):
        late, fine = await placed_while_payments_is_away(store, buyer)
        async with of_before(three_services, "orders", code):
            await three_services.processes["payments"].start()
            assert await end_of(store, late) == ("CANCELLED", "expired")
            assert await end_of(store, fine) == ("FINISHED", None)
            user, under_way = await orders_of_all_kinds(store, before="orders")
    assert expect(200, await http.get(store.order_url(fine)))["payBy"] == FUTURE
    assert str(await store.balance(buyer)) == "9.00"
    await came_out_right(three_services, store, user, under_way)


@knows_no_lanes
async def test_payments_of_before_decides_orders_of_today_and_ignores_their_time(
    three_services: ThreeServices, http: Http, code: Path
) -> None:
    """Which is why payments is replaced first."""
    store = Store.at_the_gateway(http, three_services)
    buyer = await store.open_account(funds="10.00")
    async with three_services.without("payments"):
        late, fine = await placed_while_payments_is_away(store, buyer)
        async with of_before(three_services, "payments", code):
            assert [await end_of(store, order_id) for order_id in (late, fine)] == [("FINISHED", None)] * 2
            user, under_way = await orders_of_all_kinds(store, before="payments")
    assert str(await store.balance(buyer)) == "8.00"
    await came_out_right(three_services, store, user, under_way)
