"""A connection to RabbitMQ that is lost comes back by itself."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator

import pytest
from yarl import URL

from kernel.domain.errors import Unavailable
from kernel.ports.bus import Envelope
from payments.contract.messages import PAYMENT_CAPTURED
from tests.ports.buses import Inbox, RabbitBusWorld, placed, relayed, until
from tests.servers.ports import free_port


class Proxy:
    """Stands between a bus and the broker, to be cut or to fall silent."""

    def __init__(self, url: str) -> None:
        self._target = URL(url)
        self.port = free_port()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._silent: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return str(self._target.with_host("127.0.0.1").with_port(self.port))

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    def cut(self) -> None:
        """Every connection is reset, and new ones are refused until it is opened again."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.drop()

    def drop(self) -> None:
        """Every connection is reset; new ones are welcome."""
        for writer in self._writers:
            writer.transport.abort()

    def fall_silent(self) -> None:
        """The connections stay open, and what they are given is lost; new ones work."""
        self._silent |= self._writers

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = self._target.host, self._target.port or 5672
        far_reader, far_writer = await asyncio.open_connection(host, port)
        self._writers |= {writer, far_writer}
        await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while chunk := await reader.read(65536):
                if writer not in self._silent:
                    writer.write(chunk)
                    await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()
            self._writers.discard(writer)


@pytest.fixture
async def proxies(broker: str) -> AsyncIterator[tuple[Proxy, Proxy]]:
    both = Proxy(broker), Proxy(broker)
    for proxy in both:
        await proxy.open()
    yield both
    for proxy in both:
        proxy.cut()


async def test_a_lost_connection_fails_publishing_at_once_and_comes_back_by_itself(
    rabbit: RabbitBusWorld, proxies: tuple[Proxy, Proxy], caplog: pytest.LogCaptureFixture
) -> None:
    proxy, _ = proxies
    inbox = Inbox()
    with caplog.at_level(logging.INFO):
        async with rabbit.bus("payments", urls=[proxy.url]) as payments, rabbit.bus("orders") as orders:
            await payments.subscribe(inbox)
            assert payments.healthy
            proxy.cut()
            await until(lambda: not payments.healthy)
            started = time.monotonic()
            with pytest.raises(Unavailable):
                await payments.publish([Envelope(PAYMENT_CAPTURED, b"[0]")])
            assert time.monotonic() - started < 1
            await orders.publish([placed(b"[1]")])
            await proxy.open()
            assert await inbox.has(1) == [b"[1]"]
            await until(lambda: payments.healthy)
            await payments.publish([Envelope(PAYMENT_CAPTURED, b"[0]")])
            assert await rabbit.count("orders") == 1
    lines = [record.getMessage() for record in caplog.records]
    assert [line.split(":")[0] for line in lines] == ["rabbitmq away", "rabbitmq is back"]
    assert not any(record.exc_info for record in caplog.records)


async def test_a_publish_in_flight_fails_with_the_connection(
    rabbit: RabbitBusWorld, proxies: tuple[Proxy, Proxy]
) -> None:
    proxy, _ = proxies
    async with rabbit.bus("orders", urls=[proxy.url]) as orders:
        proxy.fall_silent()
        publishing = asyncio.create_task(orders.publish([placed(b"[1]"), placed(b"[2]")]))
        await asyncio.sleep(0.05)
        proxy.drop()
        with pytest.raises(Unavailable):
            async with asyncio.timeout(2):
                await publishing


async def test_a_half_open_connection_is_replaced_within_ten_seconds(
    rabbit: RabbitBusWorld, proxies: tuple[Proxy, Proxy]
) -> None:
    proxy, _ = proxies
    inbox = Inbox()
    async with rabbit.bus("payments", urls=[proxy.url]) as payments, rabbit.bus("orders") as orders:
        await payments.subscribe(inbox)
        proxy.fall_silent()
        await orders.publish([placed(b"[1]")])
        async with asyncio.timeout(10):
            assert await inbox.has(1) == [b"[1]"]
            async with relayed(payments, Envelope(PAYMENT_CAPTURED, b"[0]")):
                pass


async def test_any_node_of_a_cluster_will_do(rabbit: RabbitBusWorld, proxies: tuple[Proxy, Proxy]) -> None:
    first, second = proxies
    inbox = Inbox()
    urls = [first.url, second.url]
    async with rabbit.bus("payments", urls=urls) as payments, rabbit.bus("orders", urls=urls) as orders:
        await payments.subscribe(inbox)
        for number, (down, up) in enumerate([(first, second), (second, first)], 1):
            down.cut()
            async with relayed(orders, placed(b"[%d]" % number)):
                await inbox.has(number)
            await down.open()
            up.drop()
    first.cut()
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
        first._queues = ["orders"]  # It exists, and has no consumer.
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
