"""Operators see and do the same, however many lanes the messages and users are in."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from uuid_utils.compat import uuid7

from kernel.adapters.embedded.postgres import running_url
from kernel.adapters.lanes.lane import Lane, LaneFinder
from orders.contract.messages import ORDER_PLACED
from shop.explain import explain
from tests.servers.database import connected
from tests.servers.process import eventually
from tests.servers.shop import Embedded
from tests.spec.operators.test_operators_act_for_customers import act, recorded
from tests.spec.operators.test_operators_see_the_shop import audited
from tests.spec.operators.test_orders_are_explained_in_one_process import waits_for
from tests.spec.operators.test_what_could_not_be_handled_is_operated import Operator
from tests.spec.promises.test_paused_consumers_take_nothing import paused
from tests.spec.promises.test_unhandled_messages_are_parked import operated, placed_event
from tests.spec.scenario import Http, expect
from tests.spec.store import Store

LANES = 4
FINDER = LaneFinder(LANES)


@pytest.fixture(scope="module")
async def shop(scratch: Path) -> AsyncIterator[Embedded]:
    async with Embedded(scratch / "operated-lanes", lanes=LANES) as shop:
        yield shop


@pytest.fixture(scope="module")
def store(http: Http, shop: Embedded) -> Store:
    return Store.at_the_gateway(http, shop)


@pytest.fixture
async def users(store: Store) -> Sequence[str]:
    """New ones, one of each lane, with 100.00."""
    found: dict[int, str] = {}
    while len(found) < LANES:
        if (lane := FINDER.of_user(user := uuid4().hex)) not in found:
            expect(201, await store.http.post(store.accounts, {"userId": user}))
            await store.deposit(user, "100.00")
            found[lane] = user
    return [found[lane] for lane in range(LANES)]


@asynccontextmanager
async def lane_of(shop: Embedded, service: str, user: str) -> AsyncIterator[asyncpg.Connection]:
    url = running_url(shop.directory / "data" / service, database=service, owner=True)
    schema = Lane(FINDER.of_user(user), LANES).schema
    async with connected(url, search_path=schema) as connection:
        yield connection


async def not_understood(shop: Embedded, kind: str, user: str) -> UUID:
    """Payments is asked for an order of this user, in a type that it does not know."""
    order_id = FINDER.order_id(user, uuid7())
    event = json.loads(placed_event(order_id, user, "1.00")) | {"type": kind}
    async with lane_of(shop, "orders", user) as orders, orders.transaction():
        await orders.execute(
            "INSERT INTO orders (user_id, id, amount, currency, description, status, created_at, updated_at)"
            " VALUES ($1, $2, 100, 'RUB', '', 'NEW', now(), now())",
            *(user, order_id),
        )
        await orders.execute(
            "INSERT INTO order_history (user_id, order_id, sequence, status, at)"
            " VALUES ($1, $2, 1, 'NEW', now())",
            *(user, order_id),
        )
        row = (ORDER_PLACED, uuid7(), json.dumps(event).encode())
        await orders.execute("INSERT INTO outbox VALUES ($1, $2, $3)", *row)
    return order_id


async def parked(operator: Operator, kind: str, count: int) -> Any:
    async def all_of_them() -> Any | None:
        groups = await operator.pages("/parked/groups", "groups")
        return next((one for one in groups if one["type"] == kind and one["messages"] == count), None)

    return await eventually(all_of_them)


async def facts(shop: Embedded, *arguments: str) -> Any:
    """What a command of the console prints."""
    return json.loads(await shop.says(*arguments, "--json"))


async def test_a_group_in_several_lanes_is_one_group_to_hold_release_and_replay(
    shop: Embedded, store: Store, users: Sequence[str]
) -> None:
    operator, kind = Operator(store.http, shop), f"shop.orders.odd-{uuid4().hex}.v1"
    orders = [await not_understood(shop, kind, user) for user in users]
    group = await parked(operator, kind, LANES)
    path = f"/parked/groups/{group['id']}"
    assert await operator.figures("unknown_type") == (LANES, 0)
    held = expect(200, await operator.post(f"{path}/hold", {"owner": "ada", "note": "waits for a fix"}))
    assert held["held"]["owner"] == "ada"
    assert await operator.figures("unknown_type") == (0, LANES)
    expect(200, await operator.post(f"{path}/release"))
    assert await operator.figures("unknown_type") == (LANES, 0)
    for user in users:
        async with lane_of(shop, "payments", user) as payments:
            await payments.execute(
                "UPDATE parked_messages SET payload = replace(encode(payload, 'escape'), $1, $2)::bytea"
                " WHERE type = $1",
                *(kind, ORDER_PLACED),
            )
    done = await operator.done(await operator.post(f"{path}/replay"))
    assert (done["total"], done["passed"], done["done"]) == (LANES, LANES, LANES)
    for order_id in orders:
        assert (await store.decided(str(order_id)))["status"] == "FINISHED"
    assert [str(await store.balance(user)) for user in users] == ["99.00"] * LANES
    for did in ("hold_group", "release_group", "replay_messages"):
        assert len(await operator.recorded(did, group["id"])) == 1


async def test_a_message_is_discarded_in_the_lane_where_it_lies(
    shop: Embedded, store: Store, users: Sequence[str]
) -> None:
    operator, kind = Operator(store.http, shop), f"shop.orders.odd-{uuid4().hex}.v1"
    orders = [str(await not_understood(shop, kind, user)) for user in users]
    group = await parked(operator, kind, LANES)
    found = await operator.pages(f"/parked?group={group['id']}&limit=1", "messages")
    assert sorted(one["subject"] for one in found) == sorted(orders)
    for message in found:
        discard = await operator.post(f"/parked/{message['id']}/discard", {"note": "a stray test"})
        assert (await operator.done(discard))["done"] == 1


async def test_commands_see_all_lanes_and_act_in_them(
    shop: Embedded, store: Store, users: Sequence[str]
) -> None:
    operator, kind = Operator(store.http, shop), f"shop.orders.odd-{uuid4().hex}.v1"
    orders = [str(await not_understood(shop, kind, user)) for user in users]
    group = await parked(operator, kind, LANES)
    with operated(shop) as console:
        for order_id, user in zip(orders, users, strict=True):
            told = await explain(console, UUID(order_id))
            assert (told.user_id, told.unknown) == (user, [])
            assert "parked" in [fact.what for fact in told.facts]
    assert (await facts(shop, "explain", orders[-1]))["userId"] == users[-1]
    listed = await facts(shop, "dead-letters", "list", "--group", group["id"])
    assert sorted(one["subject"] for one in listed["messages"]) == sorted(orders)
    held = await facts(shop, "dead-letters", "hold", group["id"], "--owner", "ada")
    assert held["held"]["owner"] == "ada"
    assert await facts(shop, "dead-letters", "discard", "--yes", "--note", "a test", "--group", group["id"])
    assert await operator.pages(f"/parked?group={group['id']}", "messages") == []
    await facts(shop, "consumers", "pause", "payments", "--note", "a test")
    try:
        assert [one["paused"] is None for one in await facts(shop, "consumers", "list")] == [True, False]
    finally:
        await facts(shop, "consumers", "resume", "payments")


async def test_an_order_of_any_lane_waits_for_the_consumer_that_is_paused(
    shop: Embedded, store: Store, users: Sequence[str]
) -> None:
    async with paused(store.http, shop, "payments"):
        order_ids = [(await store.placed(user, "1.00"))["id"] for user in users]
        for order_id in order_ids:
            for wait in await waits_for(shop, store.http, order_id, "payments_paused"):
                assert wait["detail"].endswith(": a flood")


async def test_operators_act_for_the_users_of_each_lane(store: Store, users: Sequence[str]) -> None:
    for user in users:
        order = await store.decided((await store.placed(user, "10.00"))["id"])
        expect(200, await act(store, f"/accounts/{user}/freeze"))
        expect(202, await store.cancel(order["id"]))
        assert (await store.ended(order["id"]))["status"] == "REFUNDED"
        expect(200, await act(store, f"/accounts/{user}/unfreeze"))
        correction = {"amount": "-1.00", "note": "a test"}
        expect(200, await act(store, f"/accounts/{user}/correct", correction, key="once"))
        assert str(await store.balance(user)) == "99.00"
        did = [did for did, _, _ in await recorded(store, user)]
        assert did == ["correct_account", "unfreeze_account", "freeze_account"]


async def test_an_audit_from_ops_sees_the_orders_of_all_lanes(
    shop: Embedded, store: Store, users: Sequence[str]
) -> None:
    for user in users:
        await store.decided((await store.placed(user, "1.00"))["id"])
    run = await audited(store)
    counts = {one["check"]: one["count"] for one in run["checked"]}
    async with lane_of(shop, "orders", users[0]) as orders:
        rows = [await orders.fetchval(f"SELECT count(*) FROM lane_{lane:03}.orders") for lane in range(LANES)]
    assert counts["orders"] == sum(rows)
