"""A paused consumer takes nothing, in any replica and after any restart; resumed, it takes all."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from kernel.application.watchdog import LATE_AFTER_S
from tests.servers.process import eventually
from tests.servers.shop import Embedded, Shop, ThreeServices
from tests.spec.operation.test_health_names_what_does_not_get_through import stays_degraded
from tests.spec.promises.test_unhandled_messages_are_parked import (
    add_order,
    ask,
    database,
    new_order_id,
    operated,
    replayed,
    statuses,
    waiting,
)
from tests.spec.promises.test_what_is_away_only_delays import is_ready
from tests.spec.scenario import Http, expect, expect_problem, moment
from tests.spec.store import Store

NOTE = {"note": "a flood"}
# Longer than the watchdog lets anything wait.
LATE = timedelta(seconds=LATE_AFTER_S + 2)


async def change(http: Http, shop: Shop, service: str, what: str, body: Any = None) -> Any:
    return expect(200, await http.post(f"{shop.gateway}/ops/consumers/{service}/{what}", body))


async def resume(http: Http, shop: Shop, service: str) -> None:
    assert await change(http, shop, service, "resume") == {"service": service, "paused": None}
    await eventually(partial(is_ready, http, shop.urls[service], degraded=[]))


@asynccontextmanager
async def paused(http: Http, shop: Shop, service: str) -> AsyncIterator[None]:
    """Once its process follows."""
    try:
        done = await change(http, shop, service, "pause", NOTE)
        assert (done["service"], done["paused"]["note"]) == (service, "a flood")
        await eventually(partial(is_ready, http, shop.urls[service], degraded=["paused"]))
        yield
    finally:
        await resume(http, shop, service)


async def restarted(shop: Shop, service: str) -> None:
    process = shop.processes["up" if isinstance(shop, Embedded) else service]
    process.kill()
    await process.start(within=60)


async def figure(http: Http, url: str, name: str) -> float:
    text = (await http.get(f"{url}/metrics")).body.decode()
    return max(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name))


async def test_paused_payments_decide_nothing_not_even_restarted_and_resumed_they_decide_every_order(
    shop: Shop, gateway: Store, http: Http
) -> None:
    user = await gateway.open_account(funds="10.00")
    async with paused(http, shop, "payments"):
        placed = [await gateway.placed(user, "1.00") for _ in range(3)]
        await stays_degraded(http, shop.payments, "paused")
        await restarted(shop, "payments")
        placed.append(await gateway.placed(user, "1.00"))
        await stays_degraded(http, shop.payments, "paused")
        assert {order["status"] for order in await gateway.orders_of(user)} == {"NEW"}
        assert str(await gateway.balance(user)) == "10.00"
    for order in placed:
        assert (await gateway.decided(order["id"]))["status"] == "FINISHED"
    assert str(await gateway.balance(user)) == "6.00"


async def test_no_replica_decides_while_payments_are_paused(
    three_services: ThreeServices, http: Http
) -> None:
    store = Store.at_the_gateway(http, three_services)
    user = await store.open_account(funds="10.00")
    async with three_services.others(("payments", {})) as [other]:
        async with paused(http, three_services, "payments"):
            await eventually(partial(is_ready, http, other, degraded=["paused"]))
            placed = [await store.placed(user, "1.00") for _ in range(3)]
            for url in (three_services.payments, other):
                await stays_degraded(http, url, "paused")
            assert {order["status"] for order in await store.orders_of(user)} == {"NEW"}
        await eventually(partial(is_ready, http, other, degraded=[]))
        for order in placed:
            assert (await store.decided(order["id"]))["status"] == "FINISHED"


async def test_paused_orders_settle_nothing_though_payments_decide(
    shop: Shop, gateway: Store, http: Http
) -> None:
    user = await gateway.open_account(funds="10.00")
    async with paused(http, shop, "orders"):
        placed = await gateway.placed(user, "4.00")

        async def is_paid() -> bool:
            return str(await gateway.balance(user)) == "6.00"

        await eventually(is_paid)
        await stays_degraded(http, shop.orders, "paused")
        assert [order["status"] for order in await gateway.orders_of(user)] == ["NEW"]
    assert (await gateway.decided(placed["id"]))["status"] == "FINISHED"


async def test_a_pause_degrades_the_paused_service_alone_and_logs_no_trouble(
    shop: Shop, gateway: Store, http: Http
) -> None:
    user = await gateway.open_account(funds="10.00")
    before = {name: len(process.stderr) for name, process in shop.processes.items()}
    async with paused(http, shop, "payments"):
        placed = await gateway.placed(user, "1.00")

        async def has_waited() -> bool:
            assert await is_ready(http, shop.orders, degraded=[])
            assert await is_ready(http, shop.payments, degraded=["paused"])
            assert await is_ready(http, shop.gateway, degraded=[])
            waited = datetime.now(UTC) - moment(placed["createdAt"])
            oldest_s = await figure(http, shop.orders, "shop_outbox_oldest_seconds")
            assert oldest_s < waited.total_seconds() / 2
            return waited > LATE

        await eventually(has_waited, within=30)
        assert await figure(http, shop.payments, "shop_consumer_paused") == 1
        for url in (shop.orders, shop.payments):
            assert await figure(http, url, "shop_bus_healthy") == 1
    assert (await gateway.decided(placed["id"]))["status"] == "FINISHED"
    assert await is_ready(http, shop.orders, degraded=[])
    assert await figure(http, shop.payments, "shop_consumer_paused") == 0
    for name, process in shop.processes.items():
        assert " late: " not in process.stderr[before[name] :]


async def test_a_replayed_message_waits_while_its_consumer_is_paused_too(
    shop: Shop, gateway: Store, http: Http
) -> None:
    user = await gateway.open_account(funds="10.00")
    order_id = new_order_id(user)

    async def parked() -> Any:
        return next((one for one in await waiting(settings) if one.subject == str(order_id)), None)

    with operated(shop) as settings:
        await ask(settings, order_id, user, "4.00")
        found = await eventually(parked)
        async with paused(http, shop, "orders"):
            await add_order(settings, order_id, user, 400)
            assert await replayed(settings, found.id) == 1
            await stays_degraded(http, shop.orders, "paused")
            async with database(settings, "orders", user) as orders:
                assert await orders.fetchval("SELECT count(*) FROM outbox WHERE type = 'replayed'") == 1
            assert await statuses(settings, user, order_id) == ["NEW"]
        assert (await gateway.decided(str(order_id)))["status"] == "FINISHED"


async def test_the_gateway_lists_the_consumers_and_knows_no_other_service(shop: Shop, http: Http) -> None:
    async def listed() -> Any:
        return expect(200, await http.get(f"{shop.gateway}/ops/consumers"))

    running = [{"service": name, "paused": None} for name in ("orders", "payments")]
    assert await listed() == {"consumers": running, "unknown": []}
    async with paused(http, shop, "payments"):
        again = await change(http, shop, "payments", "pause", {"note": "another"})
        assert again["paused"]["note"] == "a flood"
        assert (await listed())["consumers"] == [running[0], again]
    record = expect(200, await http.get(f"{shop.gateway}/ops/record?limit=2"))["acts"]
    assert [(one["did"], one["service"], one.get("note", "")) for one in record] == [
        ("resume_consumer", "payments", ""),
        ("pause_consumer", "payments", "a flood"),
    ]
    for what in ("pause", "resume"):
        for name in ("gateway", "nobody"):
            answer = await http.post(f"{shop.gateway}/ops/consumers/{name}/{what}", NOTE)
            expect_problem(answer, 404, code="service_not_found")
    answer = await http.post(f"{shop.gateway}/ops/consumers/orders/pause", {"note": 1})
    expect_problem(answer, 400, code="invalid_request", field="note")


async def test_the_console_pauses_lists_and_resumes(shop: Shop, http: Http) -> None:
    said = partial(shop.says, "consumers")
    try:
        done = json.loads(await said("pause", "payments", "--note", "a flood", "--by", "ada", "--json"))
        assert done["service"] == "payments"
        assert (done["paused"]["by"], done["paused"]["note"]) == ("ada", "a flood")
        await eventually(partial(is_ready, http, shop.payments, degraded=["paused"]))
        assert json.loads(await said("list", "--json")) == [{"service": "orders", "paused": None}, done]
        lines = (await said("list")).splitlines()
        assert lines[0] == "orders: takes messages"
        assert lines[1].startswith("payments: paused by ada since ")
        assert lines[1].endswith(": a flood")
    finally:
        assert await said("resume", "payments") == "payments: takes messages\n"
    await eventually(partial(is_ready, http, shop.payments, degraded=[]))
