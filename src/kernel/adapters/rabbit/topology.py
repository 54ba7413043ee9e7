"""The exchange, queues and bindings of the shop, as a catalogue of messages asks for them."""

from operator import attrgetter

from aio_pika.abc import AbstractChannel
from faststream.rabbit import ExchangeType, QueueType, RabbitBroker, RabbitExchange, RabbitQueue

from kernel.contracts.messaging import Catalog

# For messages that kill their process, and handlers with a bug; each redelivery counts.
DELIVERIES_MAX = 20
# RabbitMQ 4 drops a message of a quorum queue after 20 deliveries unless told otherwise, so that merely
# looking at a dead letter would wear it out. There is no "never" that RabbitMQ 3 takes too.
_INSPECTIONS_MAX = 2**31 - 1

LISTENER_BYTES_MAX = 64 * 1024 * 1024

# Not `robust`: nothing is restored piece by piece, a lost session is replaced whole (see connection.py).
EXCHANGE = RabbitExchange("shop.events", ExchangeType.TOPIC, durable=True, robust=False)


def dead_letter_queue(service: str) -> RabbitQueue:
    return RabbitQueue(
        f"{service}.dead-letters",
        QueueType.QUORUM,
        robust=False,
        arguments={"x-delivery-limit": _INSPECTIONS_MAX},
    )


def service_queue(service: str) -> RabbitQueue:
    """`at-least-once`, which needs `reject-publish`: a dead letter survives a crash on its way."""
    return RabbitQueue(
        service,
        QueueType.QUORUM,
        robust=False,
        arguments={
            "x-delivery-limit": DELIVERIES_MAX,
            # The default exchange knows every queue by its name: no binding that could be missing.
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": dead_letter_queue(service).name,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        },
    )


def listener_queue(name: str) -> RabbitQueue:
    """For one process and its lifetime; where that stalls, the oldest notifications are dropped."""
    return RabbitQueue(
        name,
        robust=False,
        durable=False,
        exclusive=True,
        auto_delete=True,
        arguments={"x-max-length-bytes": LISTENER_BYTES_MAX},
    )


async def declare_topology(broker: RabbitBroker, catalog: Catalog) -> AbstractChannel:
    """The whole of it, whoever starts first; answers with the channel that it was declared on."""
    exchange = await broker.declare_exchange(EXCHANGE)
    for subscriber in filter(attrgetter("subscribes"), catalog.services):
        await broker.declare_queue(dead_letter_queue(subscriber.service))
        queue = await broker.declare_queue(service_queue(subscriber.service))
        for event_type in subscriber.subscribes:
            await queue.bind(exchange, event_type, robust=False)
    return exchange.channel
