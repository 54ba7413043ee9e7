"""Faults of messages: messages are repeated and reordered, and unreadable ones are sent."""

import asyncio
import json
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from kernel.adapters.rabbit.topology import EXCHANGE, dead_letter_queue
from orders.contract.messages import ORDER_PLACED
from payments.contract.messages import PAYMENT_CAPTURED
from tests.chaos.shop import SERVICES

TAPPED_MAX = 500
POISON_EVERY_S = 1.0
CONFIRMS_WITHIN_S = 5
MEGABYTE = 1024 * 1024

# The errors of clients whose broker is killed.
BROKER_ERRORS = (OSError, TimeoutError, RuntimeError, aio_pika.exceptions.AMQPError)

# They tell of every broker that is away, which is what we are here for.
for _library in ("aiormq", "aio_pika"):
    logging.getLogger(_library).setLevel(logging.CRITICAL)

T = TypeVar("T")


class NotNow(Exception):
    """A fault that cannot be done in what other faults have left."""


@dataclass(frozen=True, slots=True)
class Poison:
    """A message for a service's queue; `parked` is the row (type, subject, reason) that it must leave.

    One without is no JSON at all, and must be parked whole, as a dead letter.
    """

    service: str
    body: bytes
    parked: tuple[str, str, str] | None


def poison(service: str, seed: str, number: int) -> Poison:
    """Returns the poison with this number. The kinds take turns, and every poison is unique."""
    name = f"poison-{seed}-{number}"
    known = PAYMENT_CAPTURED if service == "orders" else ORDER_PLACED
    event: dict[str, Any] = {"specversion": "1.0", "id": name, "source": "/chaos", "subject": name}
    match number % 6:
        case 0:
            return Poison(service, b'[{"id": "%s", ' % name.encode(), None)
        case 1:
            kind, reason, data = "shop.chaos.unheard-of.v1", "unknown_type", {}
        case 2:
            kind, reason, data = known, "invalid_data", {"orderId": name, "amount": "many"}
        case 3:
            kind, reason, data = known.replace(".v1", ".v99"), "unknown_type", {}
        case 4:
            kind, reason, data = "shop.chaos.huge.v1", "unknown_type", {"filling": "x" * MEGABYTE}
        case _:
            return Poison(service, name.encode() + b"\x00" * MEGABYTE, None)
    return Poison(service, json.dumps([event | {"type": kind, "data": data}]).encode(), (kind, name, reason))


@dataclass
class Poisoner:
    """Sends a poisonous message about every second, past all cables; some may not arrive."""

    urls: Sequence[str]
    seed: str
    confirmed: list[Poison] = field(default_factory=list)
    unconfirmed: list[Poison] = field(default_factory=list)

    async def run(self) -> None:
        dice = Random(f"{self.seed} poison")
        while True:
            number = len(self.confirmed) + len(self.unconfirmed)
            dose = poison(dice.choice(SERVICES), self.seed, number)
            # Unconfirmed until the broker says otherwise, also where we are cancelled meanwhile.
            self.unconfirmed.append(dose)
            with suppress(*BROKER_ERRORS):
                await on_broker(self.urls, lambda channel, dose=dose: self._send(channel, dose))
                self.unconfirmed.remove(dose)
                self.confirmed.append(dose)
            await asyncio.sleep(POISON_EVERY_S * (0.5 + dice.random()))

    async def _send(self, channel: AbstractChannel, dose: Poison) -> None:
        message = aio_pika.Message(dose.body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await channel.default_exchange.publish(message, dose.service, timeout=CONFIRMS_WITHIN_S)

    @property
    def sent(self) -> list[Poison]:
        return self.confirmed + self.unconfirmed


class Tap:
    """Receives copies of all published messages, so that they can be published again."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = urls
        self._tapped: deque[tuple[str, bytes]] = deque(maxlen=TAPPED_MAX)

    async def run(self) -> None:
        while True:
            with suppress(*BROKER_ERRORS):
                await on_broker(self._urls, self._listen)
            await asyncio.sleep(0.5)

    async def _listen(self, channel: AbstractChannel) -> None:
        async def take(message: AbstractIncomingMessage) -> None:
            self._tapped.append((message.routing_key or "", message.body))

        queue = await channel.declare_queue(exclusive=True)
        await queue.bind(EXCHANGE.name, "#")
        await queue.consume(take, no_ack=True)
        while not channel.is_closed:
            await asyncio.sleep(0.2)

    async def repeat(self, dice: Random, *, times: int = 1, count: int = 100, in_order: bool) -> None:
        """Publishes some of the last messages again, `times` times each. Raises NotNow if there are none."""
        some = list(self._tapped)[-dice.randint(1, count) :] * times
        if not some:
            raise NotNow
        if not in_order:
            dice.shuffle(some)
        try:
            await on_broker(self._urls, lambda channel: publish(channel, some))
        except BROKER_ERRORS as error:
            raise NotNow from error


async def publish(channel: AbstractChannel, messages: Sequence[tuple[str, bytes]]) -> None:
    exchange = await channel.get_exchange(EXCHANGE.name)
    for routing_key, body in messages:
        message = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await exchange.publish(message, routing_key, timeout=CONFIRMS_WITHIN_S)


async def on_broker(urls: Sequence[str], act: Callable[[AbstractChannel], Awaitable[T]]) -> T:
    """On the first node that answers. Raises one of BROKER_ERRORS.

    In a task of its own: aiormq cancels what waits on a lost connection, which is no cancellation of ours.
    """
    task = asyncio.create_task(_on_any(urls, act))
    try:
        await asyncio.wait({task})
    finally:
        task.cancel()
    if task.cancelled():
        raise ConnectionError("connection lost")
    return task.result()


async def _on_any(urls: Sequence[str], act: Callable[[AbstractChannel], Awaitable[T]]) -> T:
    for url in urls:
        try:
            connection = await aio_pika.connect(f"{url}?heartbeat=5", timeout=CONFIRMS_WITHIN_S)
        except BROKER_ERRORS:
            continue
        async with connection:
            return await act(await connection.channel(on_return_raises=True))
    raise ConnectionError("no broker answers")


async def remove_queues(urls: Sequence[str]) -> None:
    """Deletes the shop's queues, so that other tests find a clean broker."""

    async def remove(channel: AbstractChannel) -> None:
        for service in SERVICES:
            for name in (service, dead_letter_queue(service).name):
                await channel.queue_delete(name)

    await on_broker(urls, remove)
