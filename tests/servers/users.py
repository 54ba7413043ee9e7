"""The users of our own broker, and its refusals."""

import aio_pika
from aio_pika.exceptions import ChannelClosed
from yarl import URL

SERVICES = ("orders", "payments", "gateway")
OPERATOR = "shop"


def as_user(url: str, user: str) -> str:
    """Each has its name as its password, as PrivateRabbitMQ writes it."""
    return str(URL(url).with_user(user).with_password(user))


async def refusal(
    url: str, user: str, exchange: str, routing_key: str, body: bytes, **headers: list[str]
) -> str:
    """In the broker's words, why the user may not publish this; empty where the broker takes it."""
    async with await aio_pika.connect(as_user(url, user)) as connection:
        channel = await connection.channel()
        to = await channel.get_exchange(exchange, ensure=False) if exchange else channel.default_exchange
        try:
            await to.publish(aio_pika.Message(body, headers=headers), routing_key, timeout=10)
        except ChannelClosed as closed:
            return str(closed)
    return ""
