"""The exchange, queues and bindings of the shop on RabbitMQ, derived from a catalogue of messages."""

from collections.abc import Awaitable, Callable, Collection, Iterator
from operator import attrgetter, methodcaller
from typing import cast

from aio_pika import RobustExchange
from aio_pika.abc import UnderlayConnection
from aiormq.abc import AbstractChannel, AbstractConnection
from aiormq.exceptions import ChannelAccessRefused, ChannelNotFoundEntity
from faststream.rabbit import ExchangeType, QueueType, RabbitBroker, RabbitExchange, RabbitQueue

from kernel.adapters.rabbit.urls import Denied
from kernel.contracts.messaging import Catalog

# After this number of deliveries, a message that is still not acknowledged becomes a dead letter.
DELIVERIES_MAX = 20
# By default, RabbitMQ 4 drops a message of a quorum queue after 20 deliveries. A dead letter would be lost if
# its service crashed that often while parking it. RabbitMQ 3 has no value for "no limit", so this is the
# largest number.
_BURIALS_MAX = 2**31 - 1

LISTENER_BYTES_MAX = 64 * 1024 * 1024

# Not `robust`, because a lost session is replaced as a whole (see connection.py). `declare` is off, because
# `declare_topology` declares the exchange, or checks that it exists.
EXCHANGE = RabbitExchange("shop.events", ExchangeType.TOPIC, durable=True, robust=False, declare=False)
NO_QUEUES = Catalog(())


def dead_letter_queue(service: str) -> RabbitQueue:
    return RabbitQueue(
        f"{service}.dead-letters",
        QueueType.QUORUM,
        robust=False,
        declare=False,
        arguments={"x-delivery-limit": _BURIALS_MAX},
    )


def service_queue(service: str) -> RabbitQueue:
    """A broker's crash loses no dead letter: `at-least-once` ensures this, and needs `reject-publish`."""
    return RabbitQueue(
        service,
        QueueType.QUORUM,
        robust=False,
        declare=False,
        arguments={
            "x-delivery-limit": DELIVERIES_MAX,
            # The default exchange routes to every queue by its name, so no binding can be missing.
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": dead_letter_queue(service).name,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        },
    )


def listener_queue(name: str) -> RabbitQueue:
    """A queue for one process, deleted with the connection. A full queue drops its oldest messages."""
    return RabbitQueue(
        name,
        robust=False,
        durable=False,
        exclusive=True,
        auto_delete=True,
        arguments={"x-max-length-bytes": LISTENER_BYTES_MAX},
    )


async def declare_topology(broker: RabbitBroker, catalog: Catalog) -> RobustExchange:
    """Declares the topology of all services, because any of them may start first. Returns the exchange.

    If the broker's user may not declare, this function checks that the exchange and the queues exist. If not,
    it raises Denied with their names. AMQP cannot check a binding; without a binding, publishing fails.
    """
    try:
        await declare(broker, catalog)
    except ChannelAccessRefused as refusal:
        await _require_all(await _underlying(broker), catalog, refusal)
    return await broker.declare_exchange(EXCHANGE)


async def declare(broker: RabbitBroker, catalog: Catalog) -> None:
    """Declares exchange, queues and bindings. Raises ChannelAccessRefused if the broker's user may not."""
    channel = await (await _underlying(broker)).channel()
    await channel.exchange_declare(EXCHANGE.name, exchange_type=EXCHANGE.type.value, durable=True)
    for queue, event_types in _queues(catalog):
        await channel.queue_declare(queue.name, durable=True, arguments=queue.arguments)
        for event_type in event_types:
            await channel.queue_bind(queue.name, EXCHANGE.name, event_type)
    await channel.close()


def _queues(catalog: Catalog) -> Iterator[tuple[RabbitQueue, Collection[str]]]:
    """Each queue, with the event types that are bound to it."""
    for subscriber in filter(attrgetter("subscribes"), catalog.services):
        yield dead_letter_queue(subscriber.service), ()
        yield service_queue(subscriber.service), subscriber.subscribes


async def _underlying(broker: RabbitBroker) -> AbstractConnection:
    """The connection of aiormq, because aio-pika's connection restores channels that the broker closed."""
    connection = await broker.connect()
    return cast(UnderlayConnection, connection.transport).connection


async def _require_all(
    connection: AbstractConnection, catalog: Catalog, refusal: ChannelAccessRefused
) -> None:
    looks = {f"the exchange {EXCHANGE.name}": methodcaller("exchange_declare", EXCHANGE.name, passive=True)}
    looks |= {
        f"the queue {queue.name}": methodcaller("queue_declare", queue.name, passive=True)
        for queue, _ in _queues(catalog)
    }
    missing = [name for name, look in looks.items() if not await _is_there(connection, look)]
    if missing:
        url = connection.url
        raise Denied(
            f"rabbitmq at {url.host}:{url.port} lacks {', '.join(missing)}, which the user {url.user!r} may "
            f"not declare: run `shop broker declare` as a user who may ({refusal.args[0]})"
        )


async def _is_there(
    connection: AbstractConnection, look: Callable[[AbstractChannel], Awaitable[object]]
) -> bool:
    channel = await connection.channel()
    try:
        await look(channel)
    except ChannelNotFoundEntity:
        return False
    await channel.close()
    return True
