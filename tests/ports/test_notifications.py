"""What notifications promise, over the in-process bus and a real RabbitMQ, and what only the latter does."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aio_pika
import pytest
from pamqp.commands import Basic

from kernel.adapters.in_process.bus import InProcessBroker, InProcessBus, InProcessNotifications
from kernel.adapters.rabbit.bus import RabbitBus
from kernel.adapters.rabbit.notifications import RabbitNotifications
from kernel.ports.bus import Bus, Envelope, Notifications
from orders.contract.messages import ORDER_STATUS_CHANGED
from tests.catalog import CATALOG
from tests.servers.process import eventually
from tests.servers.shop import Cable, free_port

OTHER = "shop.orders.nobody-knows.v1"


class MemoryListening:
    def __init__(self) -> None:
        self._broker = InProcessBroker(CATALOG)

    def notifications(self) -> Notifications:
        return InProcessNotifications(self._broker)

    def bus(self) -> Bus:
        return InProcessBus(self._broker, "orders")


class RabbitListening:
    def __init__(self, url: str) -> None:
        self._url = url

    def notifications(self) -> Notifications:
        return RabbitNotifications([self._url], "gateway")

    def bus(self) -> Bus:
        return RabbitBus([self._url], "orders", CATALOG)


Listening = MemoryListening | RabbitListening


@pytest.fixture(params=["memory", "rabbit"])
def world(request: pytest.FixtureRequest) -> Listening:
    return (
        MemoryListening() if request.param == "memory" else RabbitListening(request.getfixturevalue("broker"))
    )


@asynccontextmanager
async def listening(
    notifications: Notifications, handle: Callable[[bytes], None], event_type: str = ORDER_STATUS_CHANGED
) -> AsyncIterator[None]:
    task = asyncio.create_task(notifications.listen(event_type, handle))
    try:
        await eventually(lambda: notifications.healthy, every=0.01)
        await asyncio.sleep(0)
        await notifications.want(True)
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


def notification(body: bytes, event_type: str = ORDER_STATUS_CHANGED) -> Envelope:
    return Envelope(event_type, body)


async def arrives(heard: list[bytes], *bodies: bytes) -> None:
    await eventually(lambda: heard == list(bodies), every=0.01)


async def test_each_listener_hears_everything_of_its_type_in_order(world: Listening) -> None:
    heard: list[list[bytes]] = [[], [], []]
    async with (
        world.bus() as bus,
        listening(world.notifications(), heard[0].append),
        listening(world.notifications(), heard[1].append),
        listening(world.notifications(), heard[2].append, OTHER),
    ):
        for body in (b"1", b"2", b"3"):
            await bus.notify(notification(body))
        assert await bus.notify(notification(b"4", OTHER))
        await arrives(heard[0], b"1", b"2", b"3")
        await arrives(heard[1], b"1", b"2", b"3")
        await arrives(heard[2], b"4")


async def test_a_notification_while_nobody_listens_is_lost_and_is_no_fault(world: Listening) -> None:
    heard: list[bytes] = []
    async with world.bus() as bus:
        assert await bus.notify(notification(b"before")) is False
        async with listening(world.notifications(), heard.append):
            assert await bus.notify(notification(b"meanwhile")) is True
            await arrives(heard, b"meanwhile")
        await bus.notify(notification(b"after"))
        assert heard == [b"meanwhile"]


async def test_nothing_is_sent_to_a_listener_that_wants_nothing(world: Listening) -> None:
    heard: list[bytes] = []
    notifications = world.notifications()
    async with world.bus() as bus, listening(notifications, heard.append):
        await notifications.want(False)
        assert await bus.notify(notification(b"unwanted")) is False
        await asyncio.gather(*(notifications.want(True) for _ in range(3)))
        assert await bus.notify(notification(b"wanted")) is True
        await arrives(heard, b"wanted")


async def test_of_many_who_want_and_want_no_more_the_last_one_has_its_way(world: Listening) -> None:
    notifications = world.notifications()
    async with world.bus() as bus, listening(notifications, lambda _: None):
        for last in (True, False):
            await asyncio.gather(*(notifications.want(wanted) for wanted in (not last, last, not last, last)))
            assert await bus.notify(notification(b"?")) is last


async def test_a_listener_that_fails_goes_on_and_disturbs_nobody(world: Listening) -> None:
    def fail_once(body: bytes) -> None:
        failing.append(body)
        if len(failing) == 1:
            raise RuntimeError("a bug")

    failing: list[bytes] = []
    other: list[bytes] = []
    async with (
        world.bus() as bus,
        listening(world.notifications(), fail_once),
        listening(world.notifications(), other.append),
    ):
        await bus.notify(notification(b"1"))
        await bus.notify(notification(b"2"))
        await arrives(failing, b"1", b"2")
        await arrives(other, b"1", b"2")


async def test_rabbit_passes_over_what_came_under_another_routing_key(broker: str) -> None:
    """A second one, which a broker may not hold against the publisher's rights, brought it here."""
    heard: list[bytes] = []
    async with (
        RabbitBus([broker], "orders", CATALOG) as bus,
        listening(RabbitNotifications([broker], "gateway"), heard.append),
        await aio_pika.connect(broker) as connection,
    ):
        exchange = await (await connection.channel()).get_exchange("shop.events", ensure=False)
        forged = aio_pika.Message(b"forged", headers={"CC": [ORDER_STATUS_CHANGED]})
        assert isinstance(await exchange.publish(forged, OTHER), Basic.Ack)
        await bus.notify(notification(b"true"))
        await arrives(heard, b"true")


@pytest.fixture
async def cable(broker: str) -> AsyncIterator[Cable]:
    async with Cable(broker) as cable:
        yield cable


async def test_rabbit_listens_again_after_a_cut(broker: str, cable: Cable) -> None:
    heard: list[bytes] = []
    notifications = RabbitNotifications([cable.url], "gateway")
    async with RabbitBus([broker], "orders", CATALOG) as bus, listening(notifications, heard.append):
        async with cable.away():
            await eventually(lambda: not notifications.healthy)
            await bus.notify(notification(b"lost"))
        await eventually(lambda: notifications.healthy)
        await bus.notify(notification(b"heard"))
        await arrives(heard, b"heard")


async def test_rabbit_is_waited_for_where_it_is_away_at_the_start(cable: Cable) -> None:
    heard: list[bytes] = []
    nobody = f"amqp://guest:guest@127.0.0.1:{free_port()}/"
    await cable.cut()
    notifications = RabbitNotifications([nobody, cable.url], "gateway")
    listening_task = asyncio.create_task(notifications.listen(ORDER_STATUS_CHANGED, heard.append))
    await asyncio.sleep(0.3)
    assert not notifications.healthy
    await cable.mend()
    await eventually(lambda: notifications.healthy)
    listening_task.cancel()
    await asyncio.wait({listening_task})
    assert not notifications.healthy
