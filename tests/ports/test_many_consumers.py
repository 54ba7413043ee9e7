"""What every bus promises to several consumers of one type, over the in-process one and a real RabbitMQ."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
import pytest

from kernel.contracts.messaging import Catalog, Messaging
from kernel.domain.errors import Unavailable
from kernel.ports.bus import Envelope, Unreadable
from payments.contract.messages import PAYMENT_CAPTURED
from tests.catalog import CATALOG
from tests.ports.buses import Bus, BusWorld, Graveyard, Inbox, MemoryBusWorld, rabbit_world, until

UNHEARD = "shop.receipts.receipt-printed.v1"
RECEIPTS = Messaging(service="receipts", publishes={UNHEARD: msgspec.Struct}, subscribes=[PAYMENT_CAPTURED])
WITH_RECEIPTS = Catalog([*CATALOG.services, RECEIPTS])


@pytest.fixture(params=["memory", "rabbit"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[BusWorld]:
    if request.param == "memory":
        yield MemoryBusWorld(WITH_RECEIPTS)
    else:
        async with rabbit_world(request.getfixturevalue("broker"), WITH_RECEIPTS) as world:
            yield world


def captured(number: int) -> Envelope:
    return Envelope(PAYMENT_CAPTURED, b"[%d]" % number)


@asynccontextmanager
async def relayed(bus: Bus, *envelopes: Envelope) -> AsyncIterator[None]:
    """Publishes them one after the other as the relays do, to each consumer where the bus asks for it; each
    again until the bus takes it. Returns once all are taken."""

    async def relay(to: str) -> None:
        for envelope in envelopes:
            while True:
                try:
                    await bus.publish([Envelope(envelope.type, envelope.body, to)])
                    break
                except Unavailable:
                    await asyncio.sleep(0.02)

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        for to in bus.consumers(envelopes[0].type) or [""]:
            group.create_task(relay(to))
        yield


async def subscribed(
    opened: AsyncExitStack, world: BusWorld, service: str, inbox: Inbox, graveyard: Graveyard | None = None
) -> Bus:
    bus = await opened.enter_async_context(world.bus(service, grace_s=0.1))
    await bus.subscribe(inbox, graveyard)
    return bus


async def test_each_consumer_gets_every_message_with_the_same_bytes(world: BusWorld) -> None:
    async with AsyncExitStack() as opened:
        at_orders, at_receipts = Inbox(), Inbox()
        await subscribed(opened, world, "orders", at_orders)
        await subscribed(opened, world, "receipts", at_receipts)
        payments = await subscribed(opened, world, "payments", Inbox())
        async with relayed(payments, *map(captured, range(5))):
            for inbox in (at_orders, at_receipts):
                assert sorted(await inbox.has(5)) == [b"[%d]" % number for number in range(5)]


async def test_publishing_to_all_at_once_hands_them_the_message_side_by_side(world: BusWorld) -> None:
    both = asyncio.Barrier(2)

    async def meet(_: bytes) -> None:
        await both.wait()

    async with AsyncExitStack() as opened:
        at_orders, at_receipts = Inbox(meet), Inbox(meet)
        await subscribed(opened, world, "orders", at_orders)
        await subscribed(opened, world, "receipts", at_receipts)
        payments = await subscribed(opened, world, "payments", Inbox())
        await payments.publish([captured(1)])
        assert (await at_orders.has(1), await at_receipts.has(1)) == ([b"[1]"], [b"[1]"])


@pytest.mark.parametrize("failing", ["orders", "receipts"])
async def test_a_consumer_that_fails_delays_no_other_and_is_offered_the_message_again_alone(
    world: BusWorld, failing: str
) -> None:
    broken = True

    async def fail(_: bytes) -> None:
        if broken:
            raise RuntimeError("a bug")

    (other,) = {"orders", "receipts"} - {failing}
    async with AsyncExitStack() as opened:
        at_failing, at_other = Inbox(fail), Inbox()
        await subscribed(opened, world, failing, at_failing)
        await subscribed(opened, world, other, at_other)
        payments = await subscribed(opened, world, "payments", Inbox())
        async with relayed(payments, *map(captured, range(5))):
            await at_other.has(5)
            await at_failing.has(2)
            broken = False
            await until(lambda: set(at_failing.bodies) == set(at_other.bodies))
        assert sorted(at_other.bodies) == [b"[%d]" % number for number in range(5)]


async def test_a_consumer_that_hangs_delays_no_other(world: BusWorld) -> None:
    go_on = asyncio.Event()

    async def hang(_: bytes) -> None:
        await go_on.wait()

    async with AsyncExitStack() as opened:
        at_orders, at_receipts = Inbox(), Inbox(hang)
        await subscribed(opened, world, "orders", at_orders)
        await subscribed(opened, world, "receipts", at_receipts)
        payments = await subscribed(opened, world, "payments", Inbox())
        async with relayed(payments, *map(captured, range(5))):
            await at_orders.has(5)
            await at_receipts.has(1)
            go_on.set()
            await at_receipts.has(5)
        assert sorted(at_receipts.bodies) == sorted(at_orders.bodies)


async def test_a_consumer_that_is_not_there_yet_delays_no_other_and_gets_the_message_later(
    world: BusWorld,
) -> None:
    async with AsyncExitStack() as opened:
        at_orders, at_receipts = Inbox(), Inbox()
        await subscribed(opened, world, "orders", at_orders)
        payments = await subscribed(opened, world, "payments", Inbox())
        async with relayed(payments, captured(1), captured(2)):
            await at_orders.has(2)
            await subscribed(opened, world, "receipts", at_receipts)
            assert sorted(await at_receipts.has(2)) == [b"[1]", b"[2]"]
        assert len(at_orders.bodies) == 2


async def test_a_message_that_one_consumer_cannot_read_is_a_dead_letter_of_that_consumer_alone(
    world: BusWorld,
) -> None:
    async def refuse(_: bytes) -> None:
        raise Unreadable("no JSON")

    async with AsyncExitStack() as opened:
        at_orders, of_orders, of_receipts = Inbox(), Graveyard(), Graveyard()
        await subscribed(opened, world, "orders", at_orders, of_orders)
        await subscribed(opened, world, "receipts", Inbox(refuse), of_receipts)
        payments = await subscribed(opened, world, "payments", Inbox())
        async with relayed(payments, captured(1)):
            assert await at_orders.has(1) == [b"[1]"]
        assert [letter.body for letter in await of_receipts.has(1)] == [b"[1]"]
        assert (at_orders.bodies, of_orders.letters) == ([b"[1]"], [])


async def test_a_message_that_nobody_subscribes_to_is_gone_and_is_no_fault(world: BusWorld) -> None:
    async with world.bus("receipts") as receipts:
        await receipts.publish([Envelope(UNHEARD, b"[1]")])
        assert receipts.healthy
