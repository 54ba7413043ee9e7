"""Declares the topology, for services whose users may not."""

from collections.abc import Sequence

from aio_pika.abc import AbstractChannel
from faststream.rabbit import RabbitBroker

from kernel.adapters.rabbit.connection import RabbitConnection
from kernel.adapters.rabbit.topology import EXCHANGE, declare
from kernel.adapters.rabbit.urls import broker_url
from kernel.contracts.messaging import Catalog


async def declare_at(urls: Sequence[str], catalog: Catalog) -> None:
    """`urls` are the nodes of one cluster. Raises Invalid for a malformed one, Unavailable where no broker
    answers, or refuses."""

    async def prepare(broker: RabbitBroker) -> AbstractChannel:
        await declare(broker, catalog)
        return (await broker.declare_exchange(EXCHANGE)).channel

    connection = await RabbitConnection.open_at_any(list(map(broker_url, urls)), "topology", prepare)
    await connection.close()
