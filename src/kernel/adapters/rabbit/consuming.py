"""How messages of a queue come to a handler."""

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
    """Hands the queue's messages, decoded, to the handler; the channel is the one that they come on."""
    subscriber = broker.subscriber(queue, ack_policy=policy, decoder=decode, no_reply=True)
    subscriber(handler)
    await subscriber.start()
    return (await broker.declare_queue(queue)).channel


async def envelope(message: StreamMessage[Any]) -> Envelope:
    """Its type is the first routing key, which the broker held against its publisher's rights. RabbitMQ 3.10
    does not do so with other keys (the headers CC and BCC), nor any with keys of the default exchange."""
    raw = message.raw_message
    return Envelope(raw.routing_key if raw.exchange else "", message.body)


def told_apart(handler: Handler) -> Callable[[Envelope], Awaitable[None]]:
    """A handler's errors in FastStream's words: an unreadable message is rejected, else it is requeued."""

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
