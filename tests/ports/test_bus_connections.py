"""A connection to RabbitMQ that is lost comes back by itself."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator

import pytest

from kernel.domain.errors import Unavailable
from kernel.ports.bus import Envelope
from payments.contract.messages import PAYMENT_CAPTURED
from tests.ports.buses import Inbox, RabbitBusWorld, placed, relayed, until
from tests.servers.cable import Cable


@pytest.fixture
async def cables(broker: str) -> AsyncIterator[tuple[Cable, Cable]]:
    async with Cable(broker) as first, Cable(broker) as second:
        yield first, second


async def test_a_lost_connection_fails_publishing_at_once_and_comes_back_by_itself(
    rabbit: RabbitBusWorld, cables: tuple[Cable, Cable], caplog: pytest.LogCaptureFixture
) -> None:
    cable, _ = cables
    inbox = Inbox()
    with caplog.at_level(logging.INFO):
        async with rabbit.bus("payments", urls=[cable.url]) as payments, rabbit.bus("orders") as orders:
            await payments.subscribe(inbox)
            assert payments.healthy
            await cable.cut()
            await until(lambda: not payments.healthy)
            started = time.monotonic()
            with pytest.raises(Unavailable):
                await payments.publish([Envelope(PAYMENT_CAPTURED, b"[0]")])
            assert time.monotonic() - started < 1
            await orders.publish([placed(b"[1]")])
            await cable.mend()
            assert await inbox.has(1) == [b"[1]"]
            await until(lambda: payments.healthy)
            await payments.publish([Envelope(PAYMENT_CAPTURED, b"[0]")])
            assert await rabbit.count("orders") == 1
    lines = [record.getMessage() for record in caplog.records]
    assert [line.split(":")[0] for line in lines] == ["rabbitmq away", "rabbitmq is back"]
    assert not any(record.exc_info for record in caplog.records)


async def test_a_publish_in_flight_fails_with_the_connection(
    rabbit: RabbitBusWorld, cables: tuple[Cable, Cable]
) -> None:
    cable, _ = cables
    async with rabbit.bus("orders", urls=[cable.url]) as orders:
        cable.fall_silent()
        publishing = asyncio.create_task(orders.publish([placed(b"[1]"), placed(b"[2]")]))
        await asyncio.sleep(0.05)
        cable.drop()
        with pytest.raises(Unavailable):
            async with asyncio.timeout(2):
                await publishing


async def test_a_half_open_connection_is_replaced_within_ten_seconds(
    rabbit: RabbitBusWorld, cables: tuple[Cable, Cable]
) -> None:
    cable, _ = cables
    inbox = Inbox()
    async with rabbit.bus("payments", urls=[cable.url]) as payments, rabbit.bus("orders") as orders:
        await payments.subscribe(inbox)
        cable.fall_silent()
        await orders.publish([placed(b"[1]")])
        async with asyncio.timeout(10):
            assert await inbox.has(1) == [b"[1]"]
            async with relayed(payments, Envelope(PAYMENT_CAPTURED, b"[0]")):
                pass


async def test_any_node_of_a_cluster_will_do(rabbit: RabbitBusWorld, cables: tuple[Cable, Cable]) -> None:
    first, second = cables
    inbox = Inbox()
    urls = [first.url, second.url]
    async with rabbit.bus("payments", urls=urls) as payments, rabbit.bus("orders", urls=urls) as orders:
        await payments.subscribe(inbox)
        for number, (down, up) in enumerate([(first, second), (second, first)], 1):
            await down.cut()
            async with relayed(orders, placed(b"[%d]" % number)):
                await inbox.has(number)
            await down.mend()
            up.drop()
    await first.cut()
    async with rabbit.bus("payments", urls=urls) as payments:
        assert payments.healthy


async def test_a_connection_that_is_left_without_its_consumer_gets_one(rabbit: RabbitBusWorld) -> None:
    """As after the loss of a node (https://github.com/ag2ai/faststream/issues/2758)."""
    inbox = Inbox()
    async with rabbit.bus("payments") as payments, rabbit.bus("orders") as orders:
        await payments.subscribe(inbox)
        assert payments._session is not None
        assert payments._session._consuming is not None
        await payments._session._consuming._stop()
        assert not payments.healthy
        await orders.publish([placed(b"[1]")])
        assert await inbox.has(1) == [b"[1]"]
        await until(lambda: payments.healthy)


async def test_a_consumer_that_only_the_broker_has_lost_is_replaced(
    rabbit: RabbitBusWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kernel.adapters.rabbit.bus.CHECK_S", 0.05)
    inbox = Inbox()
    async with rabbit.bus("payments") as payments, rabbit.bus("orders") as orders:
        await payments.subscribe(inbox)
        first = payments._session
        assert first is not None
        first._queues = ["orders"]  # This queue exists, and has no consumer.
        await until(lambda: payments._session is not first and payments.healthy)
        await orders.publish([placed(b"[1]")])
        assert await inbox.has(1) == [b"[1]"]


async def test_a_deleted_queue_is_declared_again_and_consumed(rabbit: RabbitBusWorld) -> None:
    inbox = Inbox()
    async with rabbit.bus("payments") as payments, rabbit.bus("orders") as orders:
        await payments.subscribe(inbox)
        await rabbit.lose_queue("payments")
        async with relayed(orders, placed(b"[1]")):
            assert await inbox.has(1) == [b"[1]"]
