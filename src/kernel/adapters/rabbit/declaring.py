"""Declares exchange, queues and bindings for services whose broker users may not declare them."""

from collections.abc import Sequence
from contextlib import suppress

from aio_pika.abc import AbstractChannel
from faststream.rabbit import Channel, RabbitBroker
from yarl import URL

from kernel.adapters.rabbit.connection import ANSWER_S, RabbitConnection
from kernel.adapters.rabbit.topology import EXCHANGE, declare
from kernel.adapters.rabbit.urls import broker_url
from kernel.contracts.messaging import Catalog
from kernel.domain.errors import Unavailable


async def declare_at(urls: Sequence[str], catalog: Catalog) -> None:
    """Declares the topology at the first broker that accepts it. `urls` are the nodes of one cluster. Raises
    Invalid for a malformed URL. If every broker fails, raises Unavailable with the last broker's reason."""
    *others, last = map(broker_url, urls)
    for url in others:
        with suppress(Unavailable):
            await _declare(url, catalog)
            return
    await _declare(last, catalog)


async def _declare(url: URL, catalog: Catalog) -> None:
    async def prepare(broker: RabbitBroker) -> AbstractChannel:
        await declare(broker, catalog)
        return (await broker.declare_exchange(EXCHANGE)).channel

    connection = RabbitConnection(url, "topology", Channel(), grace_s=0, on_lost=lambda _: None)
    try:
        await connection.open(prepare, within_s=ANSWER_S)
    finally:
        await connection.close()
