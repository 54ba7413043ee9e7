"""Connects to the private broker as one of its users, and reads its refusals."""

import aio_pika
from aio_pika.exceptions import ChannelClosed
from yarl import URL

SERVICES = ("orders", "payments", "gateway")
OPERATOR = "shop"


def as_user(url: str, user: str) -> str:
    """Returns the broker's URL for this user. In PrivateRabbitMQ, a user's password is the user's name."""
    return str(URL(url).with_user(user).with_password(user))


async def refusal(
    url: str, user: str, exchange: str, routing_key: str, body: bytes, **headers: list[str]
) -> str:
    """Publishes a message as the user. Returns the broker's error text if it refuses, otherwise ""."""
    async with await aio_pika.connect(as_user(url, user)) as connection:
        channel = await connection.channel()
        to = await channel.get_exchange(exchange, ensure=False) if exchange else channel.default_exchange
        try:
            await to.publish(aio_pika.Message(body, headers=headers), routing_key, timeout=10)
        except ChannelClosed as closed:
            return str(closed)
    return ""
