"""Whatever an order waits for, `shop explain` names it by the facts that are stored, and invents nothing."""

import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from payments import wire
from payments.domain.events import PaymentDeclined
from tests.builders import TRACE
from tests.servers.process import eventually
from tests.servers.shop import ThreeServices
from tests.spec.promises.test_what_is_away_only_delays import is_ready
from tests.spec.scenario import Http, expect, expect_problem
from tests.spec.store import Store

NOBODYS = "01970000-0000-7000-8000-000000000000"


async def explained(shop: ThreeServices, order_id: str) -> Any:
    console = shop.process("explain", order_id, "--json", **shop.database_settings)
    console.spawn()
    assert await console.ended(within=60) == 0, console.last_words
    return json.loads(console.stdout)


async def waits_for(shop: ThreeServices, order_id: str, *reasons: str) -> Any:
    """What the console tells once it names these reasons."""
    found: Any = None

    async def named() -> bool:
        nonlocal found
        found = await explained(shop, order_id)
        assert [wait["why"] for wait in found["waits"]] == list(reasons), found
        return True

    await eventually(named, within=30)
    return found


def whats(found: Any) -> list[str]:
    return [f"{fact['service']} {fact['what']}" for fact in found["facts"]]


async def test_a_finished_order_has_its_facts_in_the_order_of_time_and_waits_for_nothing(
    three_services: ThreeServices, http: Http
) -> None:
    store = Store.at_the_gateway(http, three_services)
    user = await store.open_account(funds="10.00")
    order = await store.decided((await store.placed(user, "9.00"))["id"])
    found: Any = None

    async def both_tell_the_same() -> bool:
        """Once what was published has left the outboxes, which it does in company."""
        nonlocal found
        by_http = expect(200, await http.get(f"{three_services.gateway}/ops/orders/{order['id']}"))
        found = await explained(three_services, order["id"])
        assert found == by_http
        return len(found["facts"]) == 5

    await eventually(both_tell_the_same, within=20)
    assert (found["userId"], found["status"], found["waits"], found["unknown"]) == (user, "FINISHED", [], [])
    assert whats(found) == [
        "orders accepted", "orders status", "payments decided", "payments transfer", "orders status",
    ]  # fmt: skip
    assert [fact["at"] for fact in found["facts"]] == sorted(fact["at"] for fact in found["facts"])
    assert found["facts"][0]["at"] == order["createdAt"]


async def test_what_is_no_order_is_not_found(three_services: ThreeServices, http: Http) -> None:
    expect_problem(
        await http.get(f"{three_services.gateway}/ops/orders/{NOBODYS}"), 404, code="order_not_found"
    )
    console = three_services.process("explain", NOBODYS, **three_services.database_settings)
    console.spawn()
    assert await console.ended() == 1
    assert console.last_words.strip().splitlines()[-1].startswith("Error: there is no order")


async def test_an_order_that_the_broker_does_not_take_waits_in_the_outbox(
    three_services: ThreeServices, http: Http
) -> None:
    store = Store.at_the_gateway(http, three_services)
    user = await store.open_account(funds="10.00")
    async with three_services.broker.away():
        order = await store.placed(user, "9.00")
        found = await waits_for(three_services, order["id"], "not_published")
        assert "orders in_outbox" in whats(found)
        assert found["waits"][0]["since"] >= order["createdAt"][:-5]
    await store.decided(order["id"], within=30)


async def test_an_order_that_payments_does_not_decide_waits_for_its_process(
    three_services: ThreeServices, http: Http
) -> None:
    store = Store.at_the_gateway(http, three_services)
    user = await store.open_account(funds="10.00")
    payments = three_services.processes["payments"]
    payments.kill()
    try:
        order = await store.placed(user, "9.00")
        await waits_for(three_services, order["id"], "payments_not_running", "not_decided")
        part = expect(200, await http.get(f"{three_services.gateway}/ops/orders/{order['id']}"))
        assert part["unknown"] == ["payments"]
        assert [wait["why"] for wait in part["waits"]] == ["payments_unknown"]
    finally:
        await payments.start()
    assert (await store.decided(order["id"], within=30))["status"] == "FINISHED"


async def test_an_order_whose_consumer_is_paused_waits_for_an_operator(
    three_services: ThreeServices, http: Http
) -> None:
    store = Store.at_the_gateway(http, three_services)
    user = await store.open_account(funds="10.00")
    consumer = f"{three_services.gateway}/ops/consumers/payments"
    expect(200, await http.post(f"{consumer}/pause", {"note": "a broken release"}))
    try:
        await eventually(partial(is_ready, http, three_services.payments, degraded=["paused"]))
        order = await store.placed(user, "9.00")
        found = await waits_for(three_services, order["id"], "payments_paused", "not_decided")
        assert "by anyone: a broken release" in found["waits"][0]["detail"]
    finally:
        expect(200, await http.post(f"{consumer}/resume", {"note": "mended"}))
    assert (await store.decided(order["id"], within=30))["status"] == "FINISHED"


async def test_an_order_whose_account_somebody_holds_locked_waits_for_that_session(
    three_services: ThreeServices, http: Http
) -> None:
    store = Store.at_the_gateway(http, three_services)
    user = await store.open_account(funds="10.00")
    holder = await asyncpg.connect(three_services.database_settings["PAYMENTS_DATABASE_URL"])
    try:
        async with holder.transaction():
            await holder.execute("SELECT FROM accounts WHERE user_id = $1 FOR UPDATE", user)
            order = await store.placed(user, "9.00")
            found = await waits_for(three_services, order["id"], "payments_blocked", "not_decided")
            assert str(holder.get_server_pid()) in found["waits"][0]["detail"]
    finally:
        await holder.close()
    assert (await store.decided(order["id"], within=30))["status"] == "FINISHED"


async def test_an_order_whose_decision_is_parked_waits_for_an_operator(
    three_services: ThreeServices, http: Http
) -> None:
    store = Store.at_the_gateway(http, three_services)
    user = await store.open_account(funds="10.00")
    payments = three_services.processes["payments"]
    payments.kill()
    try:
        order = await store.placed(user, "9.00")
        await waits_for(three_services, order["id"], "payments_not_running", "not_decided")
        await declined_and_parked(three_services, user, UUID(order["id"]))
        found = await waits_for(three_services, order["id"], "orders_parked", "not_settled")
        assert "no_such_thing" in found["waits"][0]["detail"]
        replay = three_services.process(
            "dead-letters", "replay", "--reason", "no_such_thing", **three_services.database_settings
        )
        replay.spawn()
        assert await replay.ended(within=60) == 0, replay.last_words
        assert (await store.decided(order["id"], within=30))["reason"] == "insufficient_funds"
    finally:
        await payments.start()


async def declined_and_parked(shop: ThreeServices, user: str, order_id: UUID) -> None:
    """Payments has declined it, and orders could not handle that."""
    event = PaymentDeclined(order_id=order_id, user_id=user, traceparent=TRACE, reason="insufficient_funds")
    at = await on(shop, "PAYMENTS", lambda c: c.fetchval("SELECT now()"))
    event_type, payload = wire.encode(event, uuid4(), at)
    await on(
        shop,
        "PAYMENTS",
        lambda c: c.execute(
            "INSERT INTO payments (user_id, order_id, decision, reason, created_at)"
            " VALUES ($1, $2, 'declined', 'insufficient_funds', $3)",
            user, order_id, at,
        ),
    )  # fmt: skip
    await on(
        shop,
        "ORDERS",
        lambda c: c.execute(
            "INSERT INTO parked_messages"
            " (type, subject, reason, detail, payload, count, first_parked_at, last_parked_at, id)"
            " VALUES ($1, $2, 'no_such_thing', 'prepared', $3, 1, $4, $4, gen_random_uuid())",
            event_type, str(order_id), payload, at,
        ),
    )  # fmt: skip


async def on(shop: ThreeServices, service: str, act: Callable[[asyncpg.Connection], Awaitable[Any]]) -> Any:
    connection = await asyncpg.connect(shop.database_settings[f"{service}_DATABASE_URL"])
    try:
        return await act(connection)
    finally:
        await connection.close()
