"""Delivers the messages of a RabbitMQ queue to a handler."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from aio_pika.abc import AbstractChannel
from faststream import AckPolicy
from faststream.exceptions import RejectMessage
from faststream.message import StreamMessage
from faststream.rabbit import RabbitBroker, RabbitQueue

from kernel.adapters.sources import ROUTING_KEY
from kernel.ports.bus import Envelope, Handler, Unreadable

M = TypeVar("M")

logger = logging.getLogger(__name__)


async def consumed(
    broker: RabbitBroker,
    queue: RabbitQueue,
    handler: Callable[[M], Awaitable[None]],
    policy: AckPolicy,
    decode: Callable[[StreamMessage[Any]], Awaitable[M]],
) -> AbstractChannel:
    """Starts a consumer of `queue`, which passes decoded messages to `handler`. Returns the channel."""
    subscriber = broker.subscriber(queue, ack_policy=policy, decoder=decode, no_reply=True)
    subscriber(handler)
    await subscriber.start()
    return (await broker.declare_queue(queue)).channel


async def envelope(message: StreamMessage[Any]) -> Envelope:
    """Decodes a message. Its type is the first routing key, because the broker checks the publisher's right
    to it. RabbitMQ 3.10 does not check the other keys, in the headers CC and BCC. No version checks the
    keys of the default exchange, so a message from that exchange has an empty type."""
    raw = message.raw_message
    return Envelope(raw.routing_key if raw.exchange else "", message.body)


def told_apart(handler: Handler) -> Callable[[Envelope], Awaitable[None]]:
    """Wraps `handler` for FastStream. It rejects unreadable messages. Other errors requeue the message."""

    async def handle(envelope: Envelope) -> None:
        ROUTING_KEY.set(envelope.type)
        try:
            await handler(envelope.body)
        except Unreadable as error:
            logger.warning("dead-lettered: %s", error)
            raise RejectMessage from error
        except Exception:
            logger.exception("a message was not handled, it will be delivered again")
            raise

    return handle
