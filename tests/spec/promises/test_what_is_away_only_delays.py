"""While a server is away work waits, and goes on by itself once it is back."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import aio_pika

from tests.servers.cable import Cable
from tests.servers.database import connected
from tests.servers.process import eventually
from tests.servers.shop import ThreeServices, schema_of
from tests.spec.scenario import Answer, Http, expect, expect_problem, for_each, new_user, together
from tests.spec.store import Store

# The longest time to a decision once the servers answer again, as promised.
HEALED_WITHIN = 10


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


async def test_without_payments_orders_are_accepted_and_decided_once_it_is_back(
    three_services: ThreeServices, http: Http
) -> None:
    store = Store.at_the_gateway(http, three_services)
    user, stranger = await store.open_account(funds="10.00"), new_user()
    async with three_services.without("payments"):
        await eventually(partial(is_ready, http, three_services.orders, degraded=[]))
        await eventually(partial(is_ready, http, three_services.gateway, degraded=["payments"]))
        unreachable = await http.get(store.account_url(user))
        expect_problem(unreachable, 503)
        assert unreachable.headers["Retry-After"]
        payable, too_dear, without_account = [
            (await store.placed(customer, amount))["id"]
            for customer, amount in ((user, "9.00"), (user, "10.01"), (stranger, "1.00"))
        ]
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
    async with three_services.without("orders"):
        await eventually(partial(is_ready, http, three_services.gateway, degraded=["orders"]))
        for answer in (await store.order(user, "1.00"), await http.get(store.orders)):
            expect_problem(answer, 503)
            assert answer.headers["Retry-After"]
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
    lane = {"search_path": schema_of(user)}
    async with (
        three_services.without("payments"),
        Cable(address) as cable,
        three_services.others(("payments", {"PAYMENTS_DATABASE_URL": cable.url})),
        await aio_pika.connect(three_services.broker.url) as connection,
        connected(three_services.database_settings["ORDERS_DATABASE_URL"], **lane) as orders_database,
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
    assert {order["status"] for order in orders} == {"FINISHED"}
    async with connected(address, **lane) as database:
        parked = await database.fetch(
            "SELECT * FROM parked_messages WHERE subject = ANY($1)", [order["id"] for order in orders]
        )
    assert parked == []
