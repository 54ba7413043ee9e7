"""What every bus promises, over the in-process one and a real RabbitMQ, and what only the latter does."""

import asyncio
from collections.abc import AsyncIterator

import aio_pika
import pytest

from kernel.adapters.rabbit.bus import CHECK_S
from kernel.adapters.sources import ROUTING_KEY
from kernel.domain.errors import Unavailable
from kernel.ports.bus import Envelope, Unreadable
from orders.contract.messages import ORDER_PLACED
from payments.contract.messages import PAYMENT_CAPTURED
from tests.catalog import CATALOG
from tests.ports.buses import (
    BusWorld,
    Graveyard,
    Inbox,
    MemoryBusWorld,
    RabbitBusWorld,
    placed,
    queues,
    rabbit_world,
    relayed,
)


@pytest.fixture(params=["memory", "rabbit"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[BusWorld]:
    if request.param == "memory":
        yield MemoryBusWorld()
    else:
        async with rabbit_world(request.getfixturevalue("broker")) as world:
            yield world


async def test_an_envelope_reaches_the_handler_of_the_consuming_service_with_the_same_bytes(
    world: BusWorld,
) -> None:
    async with world.bus("orders") as orders, world.bus("payments") as payments:
        at_orders, at_payments = Inbox(), Inbox()
        await orders.subscribe(at_orders)
        await payments.subscribe(at_payments)
        body = b'[{"text":"\xc3\xa9\\u0000"}]' + bytes(range(256)) * 1024
        await orders.publish([placed(body)])
        await payments.publish([Envelope(PAYMENT_CAPTURED, b"[1]")])
        assert await at_payments.has(1) == [body]
        assert await at_orders.has(1) == [b"[1]"]


async def test_all_envelopes_of_a_call_arrive(world: BusWorld) -> None:
    async with world.bus("orders") as orders, world.bus("payments") as payments:
        inbox = Inbox()
        await payments.subscribe(inbox)
        bodies = [b"[%d]" % number for number in range(100)]
        await orders.publish([placed(body) for body in bodies])
        assert sorted(await inbox.has(100)) == sorted(bodies)


async def test_a_handler_that_raises_sees_the_message_again(world: BusWorld) -> None:
    async def fail_once(_: bytes) -> None:
        if len(inbox.bodies) == 1:
            raise RuntimeError("a bug")

    async with world.bus("orders") as orders, world.bus("payments") as payments:
        inbox = Inbox(fail_once)
        await payments.subscribe(inbox)
        async with relayed(orders, placed(b"[1]")):
            assert await inbox.has(2) == [b"[1]", b"[1]"]


async def test_an_envelope_that_reaches_no_queue_is_a_failure_and_a_notification_is_none(
    world: BusWorld,
) -> None:
    async with world.bus("orders") as orders:
        await world.lose_queue("payments")
        with pytest.raises(Unavailable, match=ORDER_PLACED):
            await orders.publish([placed(b"[1]")])
        assert await orders.notify(Envelope("shop.orders.nobody-listens.v1", b"[1]")) is False
        assert orders.healthy


async def test_one_failure_among_many_envelopes_is_the_failure_of_the_call(world: BusWorld) -> None:
    async with world.bus("orders") as orders, world.bus("payments") as payments:
        await payments.subscribe(Inbox())
        await world.lose_queue("orders")
        lost = Envelope(PAYMENT_CAPTURED, b"[2]")
        with pytest.raises(Unavailable):
            await orders.publish([placed(b"[1]"), lost, placed(b"[3]")])


async def test_stopping_lets_a_running_handler_finish(world: BusWorld) -> None:
    go_on = asyncio.Event()

    async def wait(_: bytes) -> None:
        await go_on.wait()
        finished.append(True)

    finished: list[bool] = []
    async with world.bus("orders") as orders:
        async with world.bus("payments") as payments:
            first = Inbox(wait)
            await payments.subscribe(first)
            async with relayed(orders, placed(b"[1]")):
                await first.has(1)
                stopping = asyncio.create_task(payments.stop())
                await asyncio.sleep(0)
                go_on.set()
                await stopping
                assert finished == [True]
        async with world.bus("payments") as successor:
            second = Inbox()
            await successor.subscribe(second)
            await orders.publish([placed(b"[2]")])
            assert await second.has(1) == [b"[2]"]


async def test_a_message_whose_handler_is_cut_off_is_delivered_again(world: BusWorld) -> None:
    async def hang(_: bytes) -> None:
        await asyncio.Event().wait()

    async with world.bus("orders") as orders:
        async with world.bus("payments", grace_s=0.1) as payments:
            first = Inbox(hang)
            await payments.subscribe(first)
            relay = relayed(orders, placed(b"[1]"))
            await relay.__aenter__()
            await first.has(1)
        async with world.bus("payments") as payments:
            second = Inbox()
            await payments.subscribe(second)
            assert await second.has(1) == [b"[1]"]
            await relay.__aexit__(None, None, None)


async def test_a_handler_that_waits_does_not_hold_up_the_next_message(world: BusWorld) -> None:
    """A consumer waits for its database with the message in hand, and collects others into its batch."""
    both = asyncio.Barrier(2)

    async def meet(_: bytes) -> None:
        await both.wait()

    async with world.bus("orders") as orders, world.bus("payments") as payments:
        inbox = Inbox(meet)
        await payments.subscribe(inbox)
        async with relayed(orders, placed(b"[1]")), relayed(orders, placed(b"[2]")):
            await inbox.has(2)


async def test_in_process_publish_returns_only_after_the_handler_did() -> None:
    go_on = asyncio.Event()

    async def wait(_: bytes) -> None:
        await go_on.wait()

    world = MemoryBusWorld()
    async with world.bus("orders") as orders, world.bus("payments") as payments:
        inbox = Inbox(wait)
        await payments.subscribe(inbox)
        async with relayed(orders, placed(b"[1]")) as publishing:
            await inbox.has(1)
            assert not publishing.done()
            go_on.set()


async def test_publish_returns_once_the_queue_holds_the_message_with_nobody_consuming(
    rabbit: RabbitBusWorld,
) -> None:
    async with rabbit.bus("orders") as orders:
        await orders.publish([placed(b"[1]")])
        message = await rabbit.take("payments")
        assert message is not None
        assert message.body == b"[1]"
        assert message.delivery_mode == aio_pika.DeliveryMode.PERSISTENT
        assert message.content_type == "application/cloudevents-batch+json"
        assert (message.exchange, message.routing_key) == ("shop.events", ORDER_PLACED)


async def test_a_message_that_a_queue_does_not_take_is_a_failure(rabbit: RabbitBusWorld) -> None:
    """The queue here is one that somebody else has bound, and it is full."""
    async with rabbit.bus("orders") as orders:
        limits = {"x-max-length": 1, "x-overflow": "reject-publish"}
        full = await rabbit.channel.declare_queue(exclusive=True, arguments=limits)
        await full.bind("shop.events", ORDER_PLACED)
        await orders.publish([placed(b"[1]")])
        with pytest.raises(Unavailable, match="did not confirm"):
            await orders.publish([placed(b"[2]")])
        await full.delete(if_empty=False)
        await orders.publish([placed(b"[2]")])


async def test_the_whole_topology_is_there_after_any_service_started(rabbit: RabbitBusWorld) -> None:
    async with rabbit.bus("orders"):
        assert [await rabbit.count(queue) for queue in queues(CATALOG)] == [0, 0, 0, 0]


async def test_a_service_without_a_queue_of_its_own_stays_connected(
    rabbit: RabbitBusWorld, caplog: pytest.LogCaptureFixture
) -> None:
    async with rabbit.bus("gateway") as gateway:
        await asyncio.sleep(3 * CHECK_S)  # as many looks as it takes to give up a lost consumer
        assert gateway.healthy
    assert caplog.records == []


async def test_a_handler_knows_the_routing_key_that_the_broker_judged_also_of_a_dead_letter(
    rabbit: RabbitBusWorld,
) -> None:
    """A message that came past the exchange has none."""

    async def refuse(body: bytes) -> None:
        keys.append((body, ROUTING_KEY.get()))
        raise Unreadable(body)

    keys: list[tuple[bytes, str]] = []
    async with rabbit.bus("orders") as orders, rabbit.bus("payments") as payments:
        graveyard = Graveyard()
        await payments.subscribe(refuse, graveyard)
        await orders.publish([placed(b"1")])
        await rabbit.channel.default_exchange.publish(aio_pika.Message(b"2"), "payments")
        letters = await graveyard.has(2)
    known = [(b"1", ORDER_PLACED), (b"2", "")]
    assert sorted(keys) == known
    assert sorted((letter.body, letter.type) for letter in letters) == known
