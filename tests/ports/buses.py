"""A bus in memory and one on RabbitMQ, with what a test needs to see of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from kernel.adapters.in_process.bus import InProcessBroker, InProcessBus
from kernel.adapters.rabbit.bus import RabbitBus
from kernel.contracts.messaging import Catalog
from kernel.domain.errors import Unavailable
from kernel.ports.bus import DeadLetter, Envelope
from orders.contract.messages import ORDER_PLACED
from tests.catalog import CATALOG

DEADLINE_S = 20.0

Bus = InProcessBus | RabbitBus


class MemoryBusWorld:
    def __init__(self, catalog: Catalog = CATALOG) -> None:
        self.broker = InProcessBroker(catalog)

    def bus(self, service: str, *, grace_s: float = 5.0) -> InProcessBus:
        return InProcessBus(self.broker, service, grace_s=grace_s)

    async def lose_queue(self, service: str) -> None:
        """Without a queue there is only the subscription, and nobody has made one."""


class RabbitBusWorld:
    def __init__(self, url: str, channel: AbstractChannel, catalog: Catalog) -> None:
        self.url = url
        self.channel = channel
        self._catalog = catalog

    def bus(self, service: str, *, grace_s: float = 5.0, urls: Sequence[str] = ()) -> RabbitBus:
        return RabbitBus(urls or [self.url], service, self._catalog, grace_s=grace_s)

    async def lose_queue(self, service: str) -> None:
        await self.channel.queue_delete(service)

    async def lose_session(self, bus: RabbitBus) -> None:
        """Its connections end, as if the broker had ended them."""
        session = bus._session
        assert session is not None
        await session.close()
        await until(lambda: bus._session is not session)

    async def count(self, queue: str) -> int:
        declared = await self.channel.declare_queue(queue, passive=True)
        return declared.declaration_result.message_count or 0

    async def holds(self, queue: str, count: int) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while await self.count(queue) != count:
                await asyncio.sleep(0.05)

    async def take(self, queue: str) -> AbstractIncomingMessage | None:
        declared = await self.channel.declare_queue(queue, passive=True)
        return await declared.get(no_ack=True, fail=False)


BusWorld = MemoryBusWorld | RabbitBusWorld


@asynccontextmanager
async def rabbit_world(url: str, catalog: Catalog = CATALOG) -> AsyncIterator[RabbitBusWorld]:
    """The broker's queues are this test's alone: they are deleted before and after."""
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        for queue in queues(catalog):
            await channel.queue_delete(queue)
        yield RabbitBusWorld(url, channel, catalog)
        for queue in queues(catalog):
            await channel.queue_delete(queue)


def queues(catalog: Catalog) -> list[str]:
    consumers = [one.service for one in catalog.services if one.subscribes]
    return [f"{name}{suffix}" for name in consumers for suffix in ("", ".dead-letters")]


class Inbox:
    """A handler that keeps what it is given; `react` may raise, or wait."""

    def __init__(self, react: Callable[[bytes], Awaitable[None]] | None = None) -> None:
        self.bodies: list[bytes] = []
        self._arrived = asyncio.Condition()
        self._react = react

    async def __call__(self, body: bytes) -> None:
        self.bodies.append(body)
        async with self._arrived:
            self._arrived.notify_all()
        if self._react is not None:
            await self._react(body)

    async def has(self, count: int) -> list[bytes]:
        async with asyncio.timeout(DEADLINE_S), self._arrived:
            await self._arrived.wait_for(lambda: len(self.bodies) >= count)
        return self.bodies


class Graveyard:
    """Buries dead letters in a list; fails for as often as it is told to, before it does."""

    def __init__(self, failures: int = 0) -> None:
        self.letters: list[DeadLetter] = []
        self.failures = failures

    async def __call__(self, letter: DeadLetter) -> None:
        if self.failures:
            self.failures -= 1
            raise Unavailable("the database is away")
        self.letters.append(letter)

    async def has(self, count: int) -> list[DeadLetter]:
        await until(lambda: len(self.letters) >= count)
        return self.letters


def placed(body: bytes) -> Envelope:
    return Envelope(ORDER_PLACED, body)


@asynccontextmanager
async def relayed(bus: Bus, *envelopes: Envelope) -> AsyncIterator[asyncio.Task[None]]:
    """Publishes again and again until the bus takes them, as the relay does."""

    async def relay() -> None:
        async with asyncio.timeout(DEADLINE_S):
            while True:
                try:
                    return await bus.publish(envelopes)
                except Unavailable:
                    await asyncio.sleep(0.02)

    task = asyncio.create_task(relay())
    try:
        yield task
        await task
    finally:
        task.cancel()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0.01)
