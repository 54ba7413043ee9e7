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


async def test_orders_whose_answers_were_destroyed_get_them_again(
    three_services: ThreeServices, http: Http
) -> None:
    store = Store.at_the_gateway(http, three_services)
    user = await store.open_account(funds="10.00")
    async with three_services.without("payments"):
        order_ids = [(await store.placed(user, amount))["id"] for amount in ("3.00", "4.00", "5.00")]
        await something_waits_for("payments", three_services)
        async with three_services.without("orders"):
            await three_services.processes["payments"].start()
            await something_waits_for("orders", three_services, destroy=True)
    decided = await together(*(store.decided(order_id, within=ASKED_AGAIN_WITHIN) for order_id in order_ids))
    # Two of the three orders fit into the balance.
    assert [order["status"] for order in decided].count("FINISHED") == 2
    spent = sum(float(order["amount"]) for order in decided if order["status"] == "FINISHED")
    assert float(await store.balance(user)) == 10 - spent
