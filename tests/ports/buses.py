"""A bus in memory and one on RabbitMQ, with what a test needs to see of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from kernel.adapters.in_process.bus import InProcessBus
from kernel.adapters.rabbit.bus import RabbitBus
from kernel.contracts.messaging import Catalog
from kernel.domain.errors import Unavailable
from kernel.ports.bus import Envelope
from orders.contract.messages import ORDER_PLACED
from tests.catalog import CATALOG

DEADLINE_S = 20.0

Bus = InProcessBus | RabbitBus


class RabbitBusWorld:
    def __init__(self, url: str, channel: AbstractChannel, catalog: Catalog) -> None:
        self.url = url
        self.channel = channel
        self._catalog = catalog

    def bus(self, service: str, *, grace_s: float = 5.0, urls: Sequence[str] = ()) -> RabbitBus:
        return RabbitBus(urls or [self.url], service, self._catalog, grace_s=grace_s)

    async def lose_queue(self, service: str) -> None:
        await self.channel.queue_delete(service)

    async def count(self, queue: str) -> int:
        declared = await self.channel.declare_queue(queue, passive=True)
        return declared.declaration_result.message_count or 0

    async def take(self, queue: str) -> AbstractIncomingMessage | None:
        declared = await self.channel.declare_queue(queue, passive=True)
        return await declared.get(no_ack=True, fail=False)

    async def dead_letters(self, service: str) -> list[bytes]:
        """Dead-lettering goes its own way inside the broker, so the first one is waited for."""
        bodies: list[bytes] = []
        async with asyncio.timeout(DEADLINE_S):
            while not bodies:
                while (message := await self.take(f"{service}.dead-letters")) is not None:
                    bodies.append(message.body)
                await asyncio.sleep(0.02)
        return bodies


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
