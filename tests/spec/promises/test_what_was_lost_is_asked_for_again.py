"""What was lost for good is asked for again, and nothing is charged twice."""

import aio_pika

from tests.servers.process import eventually
from tests.servers.shop import ThreeServices
from tests.spec.scenario import Http, together
from tests.spec.store import Store

# The first request is repeated after 5 s, give or take a tick.
ASKED_AGAIN_WITHIN = 20


async def something_waits_for(service: str, shop: ThreeServices, *, destroy: bool = False) -> None:
    """Returns once a message is in the service's queue; throws it away if told so."""
    async with await aio_pika.connect(shop.broker.url) as connection:
        channel = await connection.channel()

        async def found() -> bool:
            queue = await channel.declare_queue(service, passive=True)
            answer = await queue.purge() if destroy else queue.declaration_result
            return bool(answer.message_count)

        await eventually(found)


async def placed_and_unpaid(store: Store, user: str) -> list[str]:
    return [(await store.placed(user, amount))["id"] for amount in ("3.00", "4.00", "5.00")]


async def assert_decided_once(store: Store, user: str, order_ids: list[str]) -> None:
    """Two of the three orders fit into the balance of 10.00."""
    decided = await together(*(store.decided(order_id, within=ASKED_AGAIN_WITHIN) for order_id in order_ids))
    assert [order["status"] for order in decided].count("FINISHED") == 2
    spent = sum(float(order["amount"]) for order in decided if order["status"] == "FINISHED")
    assert float(await store.balance(user)) == 10 - spent


async def test_orders_whose_requests_were_destroyed_are_decided_all_the_same(
    three_services: ThreeServices, http: Http
) -> None:
    store = Store.at_the_gateway(http, three_services)
    user = await store.open_account(funds="10.00")
    payments = three_services.processes["payments"]
    payments.kill()
    try:
        order_ids = await placed_and_unpaid(store, user)
        await something_waits_for("payments", three_services, destroy=True)
    finally:
        await payments.start()
    await assert_decided_once(store, user, order_ids)


async def test_orders_whose_answers_were_destroyed_get_them_again(
    three_services: ThreeServices, http: Http
) -> None:
    store = Store.at_the_gateway(http, three_services)
    user = await store.open_account(funds="10.00")
    payments, orders = three_services.processes["payments"], three_services.processes["orders"]
    payments.kill()
    try:
        order_ids = await placed_and_unpaid(store, user)
        await something_waits_for("payments", three_services)
        orders.kill()
        await payments.start()
        await something_waits_for("orders", three_services, destroy=True)
    finally:
        if payments.exit_code is not None:
            await payments.start()
        await orders.start()
    await assert_decided_once(store, user, order_ids)
