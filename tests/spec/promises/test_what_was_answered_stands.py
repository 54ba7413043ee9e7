"""Whatever is killed or cut, what was answered stands, and work goes on by itself."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import aio_pika
import asyncpg
import pytest

from tests.servers.cable import Cable
from tests.servers.shop import (
    SERVICES,
    Embedded,
    Shop,
    ThreeServices,
    alive,
    descendants,
    eventually,
    start_together,
)
from tests.spec.keyed import Change, deposit_by_post, opening, order, replayed, until_known
from tests.spec.load import Load
from tests.spec.scenario import Answer, Http, Store, expect, expect_problem, for_each, new_user, together

# What is promised once the servers answer again.
HEALED_WITHIN = 10


async def load_with_kills(shop: Shop, http: Http, seed: str, victims: Sequence[str]) -> None:
    """kill -9 in the middle of a load and a restart, of one victim after the other, and the sums."""
    load = Load(
        Store.at_the_gateway(http, shop), seed, clients=32, orders_per_client=20 * (len(victims) + 1),
        shared_accounts=5 * (len(victims) + 1), expects_faults=True,
    )  # fmt: skip
    clients = asyncio.create_task(load.run())

    def past(count: int) -> bool:
        assert not clients.done(), "the load was over before the kill"
        return load.answered > count

    try:
        for number, victim in enumerate(victims, 1):
            await eventually(partial(past, load.size * number // (len(victims) + 1)), within=60, every=0.01)
            shop.processes[victim].kill()
            await asyncio.sleep(0.2)
            await shop.processes[victim].start()
    finally:
        await restart(shop)
        await clients
    assert load.accepted
    await load.comes_out_even(within=HEALED_WITHIN)


async def restart(shop: Shop) -> None:
    """Starts what has ended."""
    await start_together(process for process in shop.processes.values() if process.exit_code is not None)


async def is_ready(http: Http, base_url: str, *, degraded: list[str]) -> bool:
    answer = await http.get(f"{base_url}/health/ready")
    assert answer.status == 200, answer
    assert answer.json.get("degraded", []) == degraded, answer
    return True


async def is_not_ready_for_want_of(http: Http, base_url: str, missing: str) -> bool:
    answer = await http.get(f"{base_url}/health/ready")
    assert answer.status == 503, answer
    assert missing in answer.body.decode()
    return True


async def test_services_killed_in_turn_under_load_and_restarted_lose_and_double_nothing(
    three_services: ThreeServices, http: Http, seed: str
) -> None:
    await load_with_kills(three_services, http, seed, SERVICES)
    store = Store.at_the_gateway(http, three_services)
    await store.refuses_what_cannot_be_paid(await store.open_account())


async def test_the_embedded_shop_killed_under_load_and_restarted_loses_and_doubles_nothing(
    embedded: Embedded, http: Http, seed: str
) -> None:
    await load_with_kills(embedded, http, seed, ["up"])


async def once_despite_a_kill(
    shop: ThreeServices, http: Http, victim: str, *changes: tuple[Change, str]
) -> list[Any]:
    """Of each change, for its user, what 200 clients with one key are told of it, who ask at both entry
    points and do not give up. A kill -9 of the service comes with the first answer."""
    stores = Store.at_the_gateway(http, shop), Store.at_the_services(http, shop)
    clients = [
        [asyncio.create_task(until_known(partial(change, store, user, "k"))) for store in stores * 100]
        for change, user in changes
    ]
    try:
        await asyncio.wait(clients[0], timeout=30, return_when=asyncio.FIRST_COMPLETED)
        shop.processes[victim].kill()
    finally:
        await restart(shop)
    ids = []
    for (change, user), asking in zip(changes, clients, strict=True):
        answers = await together(*asking)
        # Of the first one the answer may be lost, and what its client is told then is a replay.
        assert sum(not replayed(answer) for answer in answers) <= 1
        answers += [await change(store, user, "k") for store in stores]
        assert all(map(replayed, answers[-2:]))
        [outcome] = {answer.json.get("id") or answer.body for answer in answers}
        ids.append(outcome)
    return ids


async def test_200_orders_with_one_key_are_one_order_though_orders_is_killed_in_between(
    three_services: ThreeServices, http: Http
) -> None:
    store = Store.at_the_gateway(http, three_services)
    user = await store.open_account(funds="1.00")
    ids = await once_despite_a_kill(three_services, http, "orders", (order, user))
    placed = await store.orders_of(user)
    assert [only["id"] for only in placed] == ids
    assert (await store.decided(ids[0], within=HEALED_WITHIN))["status"] == "FINISHED"
    assert str(await store.balance(user)) == "0.00"


async def test_200_deposits_with_one_key_are_one_deposit_though_payments_is_killed_in_between(
    three_services: ThreeServices, http: Http
) -> None:
    store = Store.at_the_gateway(http, three_services)
    user = await store.open_account(funds="1.00")
    await once_despite_a_kill(
        three_services, http, "payments", (deposit_by_post, user), (opening, new_user())
    )
    assert str(await store.balance(user)) == "2.00"
    await store.refuses_what_cannot_be_paid(user)


async def test_without_payments_orders_are_accepted_and_decided_once_it_is_back(
    three_services: ThreeServices, http: Http
) -> None:
    store = Store.at_the_gateway(http, three_services)
    payments = three_services.processes["payments"]
    user, stranger = await store.open_account(funds="10.00"), new_user()
    payments.kill()
    try:
        await eventually(partial(is_ready, http, three_services.orders, degraded=[]))
        await eventually(partial(is_ready, http, three_services.gateway, degraded=["payments"]))
        unreachable = await http.get(store.account_url(user))
        expect_problem(unreachable, 503)
        assert unreachable.headers["Retry-After"]
        payable, too_dear, without_account = [
            (await store.placed(customer, amount))["id"]
            for customer, amount in ((user, "9.00"), (user, "10.01"), (stranger, "1.00"))
        ]
    finally:
        await payments.start()
    outcomes = [
        (order["status"], order["reason"])
        for order in await together(*map(store.decided, (payable, too_dear, without_account)))
    ]
    assert outcomes == [
        ("FINISHED", None),
        ("CANCELLED", "insufficient_funds"),
        ("CANCELLED", "account_not_found"),
    ]
    assert str(await store.balance(user)) == "1.00"
    await store.refuses_what_cannot_be_paid(user)


async def test_without_the_orders_service_the_gateway_stays_ready_and_asks_to_come_back(
    three_services: ThreeServices, http: Http
) -> None:
    store = Store.at_the_gateway(http, three_services)
    user = await store.open_account(funds="1.00")
    three_services.processes["orders"].kill()
    try:
        await eventually(partial(is_ready, http, three_services.gateway, degraded=["orders"]))
        for answer in (await store.order(user, "1.00"), await http.get(store.orders)):
            expect_problem(answer, 503)
            assert answer.headers["Retry-After"]
    finally:
        await three_services.processes["orders"].start()
    assert await store.orders_of(user) == []
    await eventually(partial(is_ready, http, three_services.gateway, degraded=[]))


async def test_without_the_broker_orders_are_accepted_and_decided_once_it_is_back(
    three_services: ThreeServices, http: Http
) -> None:
    store = Store.at_the_gateway(http, three_services)
    user = await store.open_account(funds="20.00")
    listeners = three_services.orders, three_services.payments, three_services.gateway
    async with three_services.broker.away():
        for listener in listeners:
            await eventually(partial(is_ready, http, listener, degraded=["rabbitmq"]))
        placed = await together(*(store.placed(user, "1.00") for _ in range(20)))
        await asyncio.sleep(0.5)
        assert len(await store.orders_of(user, status="NEW")) == 20
    orders = await together(*(store.decided(order["id"], within=HEALED_WITHIN) for order in placed))
    assert {order["status"] for order in orders} == {"FINISHED"}
    assert str(await store.balance(user)) == "0.00"
    for listener in listeners:
        await eventually(partial(is_ready, http, listener, degraded=[]))


async def ask_for_orders(http: Http, base_url: str, user: str) -> Answer:
    return await http.post(f"{base_url}/api/Order", {"userId": user, "amount": 1})


async def ask_for_a_deposit(http: Http, base_url: str, user: str) -> Answer:
    return await http.post(f"{base_url}/api/Accounts/{user}/deposit", {"amount": 1})


async def test_a_service_whose_database_is_away_says_so_and_recovers_by_itself(
    three_services: ThreeServices, http: Http
) -> None:
    user = await Store.at_the_gateway(http, three_services).open_account(funds="10.00")

    async def goes_on(row: tuple[str, Cable, Callable[[Http, str, str], Awaitable[Answer]], int]) -> None:
        base_url, cable, ask, success = row
        expect(success, await ask(http, base_url, user))
        async with cable.away():
            await eventually(partial(is_not_ready_for_want_of, http, base_url, "database"))
            expect(200, await http.get(f"{base_url}/health/live"))
            refused = await ask(http, base_url, user)
            expect_problem(refused, 503)
            assert refused.headers["Retry-After"]
        await eventually(partial(is_ready, http, base_url, degraded=[]))
        expect(success, await ask(http, base_url, user))

    settings = ("ORDERS_DATABASE_URL", "PAYMENTS_DATABASE_URL")
    async with (
        Cable(three_services.database_settings[settings[0]]) as to_orders,
        Cable(three_services.database_settings[settings[1]]) as to_payments,
        three_services.others(
            ("orders", {settings[0]: to_orders.url}), ("payments", {settings[1]: to_payments.url})
        ) as (orders, payments),
    ):
        rows = [(orders, to_orders, ask_for_orders, 201), (payments, to_payments, ask_for_a_deposit, 200)]
        await for_each(rows, goes_on)


async def test_messages_wait_with_a_consumer_whose_database_is_away(
    three_services: ThreeServices, http: Http
) -> None:
    """Nothing is thrown back, worn out or parked; nobody restarts anything."""
    store = Store.at_the_gateway(http, three_services)
    user = await store.open_account(funds="8.00")
    address = three_services.database_settings["PAYMENTS_DATABASE_URL"]
    three_services.processes["payments"].kill()
    try:
        async with (
            Cable(address) as cable,
            three_services.others(("payments", {"PAYMENTS_DATABASE_URL": cable.url})),
            await aio_pika.connect(three_services.broker.url) as connection,
            asyncpg.create_pool(
                three_services.database_settings["ORDERS_DATABASE_URL"], min_size=1
            ) as orders_database,
        ):
            channel = await connection.channel()

            async def waiting(queue: str) -> int | None:
                return (await channel.declare_queue(queue, passive=True)).declaration_result.message_count

            async def are_with_the_consumer() -> bool:
                to_publish = await orders_database.fetchval("SELECT count(*) FROM outbox")
                return to_publish == 0 and await waiting("payments") == 0

            dead_letters = await waiting("payments.dead-letters")
            async with cable.away():
                placed = await together(*(store.placed(user, "1.00") for _ in range(8)))
                await eventually(are_with_the_consumer)
                assert len(await store.orders_of(user, status="NEW")) == 8
            orders = await together(*(store.decided(order["id"], within=HEALED_WITHIN) for order in placed))
            assert await waiting("payments.dead-letters") == dead_letters
    finally:
        await three_services.processes["payments"].start()
    assert {order["status"] for order in orders} == {"FINISHED"}
    database = await asyncpg.connect(address)
    try:
        parked = await database.fetch(
            "SELECT * FROM parked_messages WHERE subject = ANY($1)", [order["id"] for order in orders]
        )
    finally:
        await database.close()
    assert parked == []


@pytest.mark.parametrize("end", ["SIGTERM", "kill -9"])
async def test_the_embedded_shop_leaves_no_process_behind_and_finds_its_data_again(
    embedded: Embedded, http: Http, end: str
) -> None:
    store = Store.at_the_gateway(http, embedded)
    user = await store.open_account(funds="10.00")
    order = await store.decided((await store.placed(user, "4.00"))["id"])
    family = descendants(embedded.up.pid)
    assert family, "the databases of the embedded shop are its children"
    try:
        if end == "SIGTERM":
            assert await embedded.up.terminate(within=10) == 0
        else:
            embedded.up.kill()
        await eventually(lambda: not alive(family), within=10)
    finally:
        if embedded.up.exit_code is not None:
            await embedded.up.start()
    assert str(await store.balance(user)) == "6.00"
    assert await store.orders_of(user) == [order]


async def test_each_service_ends_on_sigterm_while_its_callers_run_and_the_successors_go_on(
    three_services: ThreeServices, http: Http
) -> None:
    try:
        for service in ("payments", "orders", "gateway"):
            assert await three_services.processes[service].terminate(within=10) == 0, service
    finally:
        await restart(three_services)
    store = Store.at_the_gateway(http, three_services)
    user = await store.open_account(funds="1.00")
    assert (await store.decided((await store.placed(user, "1.00"))["id"]))["status"] == "FINISHED"
