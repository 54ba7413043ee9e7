"""What every bus promises, over the in-process one and a real RabbitMQ, and what only the latter does."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from yarl import URL

from kernel.adapters.in_process.bus import InProcessBroker, InProcessBus
from kernel.adapters.rabbit.bus import CHECK_S, RabbitBus
from kernel.contracts.messaging import Catalog
from kernel.domain.errors import Invalid, Unavailable
from kernel.ports.bus import Envelope, Unreadable
from orders.contract.messages import ORDER_PLACED
from payments.contract.messages import PAYMENT_CAPTURED
from tests.catalog import CATALOG
from tests.servers.ports import free_port

DEADLINE_S = 20.0

Bus = InProcessBus | RabbitBus


class MemoryWorld:
    def __init__(self, catalog: Catalog = CATALOG) -> None:
        self.broker = InProcessBroker(catalog)

    def bus(self, service: str, *, grace_s: float = 5.0) -> InProcessBus:
        return InProcessBus(self.broker, service, grace_s=grace_s)

    async def lose_queue(self, service: str) -> None:
        """Without a queue there is only the subscription, and nobody has made one."""

    async def dead_letters(self, service: str) -> list[bytes]:
        return [envelope.body for consumer, envelope in self.broker.dead_letters if consumer == service]


class RabbitWorld:
    def __init__(self, url: str, channel: AbstractChannel, catalog: Catalog) -> None:
        self.url = url
        self.channel = channel
        self._catalog = catalog

    def bus(self, service: str, *, grace_s: float = 5.0, urls: Sequence[str] = ()) -> RabbitBus:
        return RabbitBus(urls or [self.url], service, self._catalog, grace_s=grace_s)

    async def lose_queue(self, service: str) -> None:
        await self.channel.queue_delete(service)

    async def count(self, queue: str) -> int:
        declared = await self.channel.declare_queue(queue, passive=True)
        return declared.declaration_result.message_count or 0

    async def take(self, queue: str) -> AbstractIncomingMessage | None:
        declared = await self.channel.declare_queue(queue, passive=True)
        return await declared.get(no_ack=True, fail=False)

    async def dead_letters(self, service: str) -> list[bytes]:
        """Dead-lettering goes its own way inside the broker, so the first one is waited for."""
        bodies: list[bytes] = []
        async with asyncio.timeout(DEADLINE_S):
            while not bodies:
                while (message := await self.take(f"{service}.dead-letters")) is not None:
                    bodies.append(message.body)
                await asyncio.sleep(0.02)
        return bodies


@asynccontextmanager
async def rabbit_world(url: str, catalog: Catalog = CATALOG) -> AsyncIterator[RabbitWorld]:
    """The broker's queues are this test's alone: they are deleted before and after."""
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        for queue in queues(catalog):
            await channel.queue_delete(queue)
        yield RabbitWorld(url, channel, catalog)
        for queue in queues(catalog):
            await channel.queue_delete(queue)


def queues(catalog: Catalog) -> list[str]:
    consumers = [one.service for one in catalog.services if one.subscribes]
    return [f"{name}{suffix}" for name in consumers for suffix in ("", ".dead-letters")]


@pytest.fixture(params=["memory", "rabbit"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[MemoryWorld | RabbitWorld]:
    if request.param == "memory":
        yield MemoryWorld()
    else:
        async with rabbit_world(request.getfixturevalue("broker")) as world:
            yield world


@pytest.fixture
async def rabbit(broker: str) -> AsyncIterator[RabbitWorld]:
    async with rabbit_world(broker) as world:
        yield world


class Inbox:
    """A handler that keeps what it is given; `react` may raise, or wait."""

    def __init__(self, react: Callable[[bytes], Awaitable[None]] | None = None) -> None:
        self.bodies: list[bytes] = []
        self._arrived = asyncio.Condition()
        self._react = react

    async def __call__(self, body: bytes) -> None:
        self.bodies.append(body)
        async with self._arrived:
            self._arrived.notify_all()
        if self._react is not None:
            await self._react(body)

    async def has(self, count: int) -> list[bytes]:
        async with asyncio.timeout(DEADLINE_S), self._arrived:
            await self._arrived.wait_for(lambda: len(self.bodies) >= count)
        return self.bodies


def placed(body: bytes) -> Envelope:
    return Envelope(ORDER_PLACED, body)


@asynccontextmanager
async def relayed(bus: Bus, *envelopes: Envelope) -> AsyncIterator[asyncio.Task[None]]:
    """Publishes again and again until the bus takes them, as the relay does."""

    async def relay() -> None:
        async with asyncio.timeout(DEADLINE_S):
            while True:
                try:
                    return await bus.publish(envelopes)
                except Unavailable:
                    await asyncio.sleep(0.02)

    task = asyncio.create_task(relay())
    try:
        yield task
        await task
    finally:
        task.cancel()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0.01)


async def test_an_envelope_reaches_the_handler_of_the_consuming_service_with_the_same_bytes(
    world: MemoryWorld | RabbitWorld,
) -> None:
    async with world.bus("orders") as orders, world.bus("payments") as payments:
        at_orders, at_payments = Inbox(), Inbox()
        await orders.subscribe(at_orders)
        await payments.subscribe(at_payments)
        body = b'[{"text":"\xc3\xa9\\u0000"}]' + bytes(range(256)) * 1024
        await orders.publish([placed(body)])
        await payments.publish([Envelope(PAYMENT_CAPTURED, b"[1]")])
        assert await at_payments.has(1) == [body]
        assert await at_orders.has(1) == [b"[1]"]


async def test_all_envelopes_of_a_call_arrive(world: MemoryWorld | RabbitWorld) -> None:
    async with world.bus("orders") as orders, world.bus("payments") as payments:
        inbox = Inbox()
        await payments.subscribe(inbox)
        bodies = [b"[%d]" % number for number in range(100)]
        await orders.publish([placed(body) for body in bodies])
        assert sorted(await inbox.has(100)) == sorted(bodies)


async def test_a_handler_that_raises_sees_the_message_again(world: MemoryWorld | RabbitWorld) -> None:
    async def fail_once(_: bytes) -> None:
        if len(inbox.bodies) == 1:
            raise RuntimeError("a bug")

    async with world.bus("orders") as orders, world.bus("payments") as payments:
        inbox = Inbox(fail_once)
        await payments.subscribe(inbox)
        async with relayed(orders, placed(b"[1]")):
            assert await inbox.has(2) == [b"[1]", b"[1]"]


async def test_an_unreadable_message_goes_to_the_dead_letters_and_is_not_seen_again(
    world: MemoryWorld | RabbitWorld,
) -> None:
    async def refuse(body: bytes) -> None:
        if body == b"garbage":
            raise Unreadable("no JSON")

    async with world.bus("orders") as orders, world.bus("payments") as payments:
        inbox = Inbox(refuse)
        await payments.subscribe(inbox)
        await orders.publish([placed(b"garbage")])
        assert await world.dead_letters("payments") == [b"garbage"]
        await orders.publish([placed(b"[1]")])
        assert await inbox.has(2) == [b"garbage", b"[1]"]


async def test_an_envelope_that_reaches_no_queue_is_a_failure_and_a_notification_is_none(
    world: MemoryWorld | RabbitWorld,
) -> None:
    async with world.bus("orders") as orders:
        await world.lose_queue("payments")
        with pytest.raises(Unavailable, match=ORDER_PLACED):
            await orders.publish([placed(b"[1]")])
        assert await orders.notify(Envelope("shop.orders.nobody-listens.v1", b"[1]")) is False
        assert orders.healthy


async def test_one_failure_among_many_envelopes_is_the_failure_of_the_call(
    world: MemoryWorld | RabbitWorld,
) -> None:
    async with world.bus("orders") as orders, world.bus("payments") as payments:
        await payments.subscribe(Inbox())
        await world.lose_queue("orders")
        lost = Envelope(PAYMENT_CAPTURED, b"[2]")
        with pytest.raises(Unavailable):
            await orders.publish([placed(b"[1]"), lost, placed(b"[3]")])


async def test_stopping_lets_a_running_handler_finish(world: MemoryWorld | RabbitWorld) -> None:
    go_on = asyncio.Event()

    async def wait(_: bytes) -> None:
        await go_on.wait()
        finished.append(True)

    finished: list[bool] = []
    async with world.bus("orders") as orders, world.bus("payments") as payments:
        first = Inbox(wait)
        await payments.subscribe(first)
        async with relayed(orders, placed(b"[1]")):
            await first.has(1)
            stopping = asyncio.create_task(payments.stop())
            await asyncio.sleep(0)
            go_on.set()
            await stopping
            assert finished == [True]
        await payments.close()
        async with world.bus("payments") as successor:
            second = Inbox()
            await successor.subscribe(second)
            await orders.publish([placed(b"[2]")])
            assert await second.has(1) == [b"[2]"]


async def test_a_message_whose_handler_is_cut_off_is_delivered_again(
    world: MemoryWorld | RabbitWorld,
) -> None:
    async def hang(_: bytes) -> None:
        await asyncio.Event().wait()

    async with world.bus("orders") as orders:
        async with world.bus("payments", grace_s=0.1) as payments:
            first = Inbox(hang)
            await payments.subscribe(first)
            relay = relayed(orders, placed(b"[1]"))
            await relay.__aenter__()
            await first.has(1)
        async with world.bus("payments") as payments:
            second = Inbox()
            await payments.subscribe(second)
            assert await second.has(1) == [b"[1]"]
            await relay.__aexit__(None, None, None)


async def test_a_handler_that_waits_does_not_hold_up_the_next_message(
    world: MemoryWorld | RabbitWorld,
) -> None:
    """A consumer waits for its database with the message in hand, and collects others into its batch."""
    both = asyncio.Barrier(2)

    async def meet(_: bytes) -> None:
        await both.wait()

    async with world.bus("orders") as orders, world.bus("payments") as payments:
        inbox = Inbox(meet)
        await payments.subscribe(inbox)
        async with relayed(orders, placed(b"[1]")), relayed(orders, placed(b"[2]")):
            await inbox.has(2)


async def test_in_process_publish_returns_only_after_the_handler_did() -> None:
    go_on = asyncio.Event()

    async def wait(_: bytes) -> None:
        await go_on.wait()

    world = MemoryWorld()
    async with world.bus("orders") as orders, world.bus("payments") as payments:
        inbox = Inbox(wait)
        await payments.subscribe(inbox)
        async with relayed(orders, placed(b"[1]")) as publishing:
            await inbox.has(1)
            assert not publishing.done()
            go_on.set()


async def test_publish_returns_once_the_queue_holds_the_message_with_nobody_consuming(
    rabbit: RabbitWorld,
) -> None:
    async with rabbit.bus("orders") as orders:
        await orders.publish([placed(b"[1]")])
        message = await rabbit.take("payments")
        assert message is not None
        assert message.body == b"[1]"
        assert message.delivery_mode == aio_pika.DeliveryMode.PERSISTENT
        assert message.content_type == "application/cloudevents-batch+json"
        assert (message.exchange, message.routing_key) == ("shop.events", ORDER_PLACED)


async def test_a_message_that_a_queue_does_not_take_is_a_failure(rabbit: RabbitWorld) -> None:
    """Here one that somebody else has bound, and that is full."""
    async with rabbit.bus("orders") as orders:
        limits = {"x-max-length": 1, "x-overflow": "reject-publish"}
        full = await rabbit.channel.declare_queue(exclusive=True, arguments=limits)
        await full.bind("shop.events", ORDER_PLACED)
        await orders.publish([placed(b"[1]")])
        with pytest.raises(Unavailable, match="did not confirm"):
            await orders.publish([placed(b"[2]")])
        await full.delete(if_empty=False)
        await orders.publish([placed(b"[2]")])


async def test_a_message_that_fails_every_time_ends_among_the_dead_letters(rabbit: RabbitWorld) -> None:
    async def fail(body: bytes) -> None:
        if body == b"poison":
            raise RuntimeError("a bug")

    async with rabbit.bus("orders") as orders, rabbit.bus("payments") as payments:
        inbox = Inbox(fail)
        await payments.subscribe(inbox)
        await orders.publish([placed(b"poison"), placed(b"[1]")])
        assert await rabbit.dead_letters("payments") == [b"poison"]
        assert inbox.bodies.count(b"poison") == 21
        assert inbox.bodies.count(b"[1]") == 1


async def test_the_whole_topology_is_there_after_any_service_started(rabbit: RabbitWorld) -> None:
    async with rabbit.bus("orders"):
        assert [await rabbit.count(queue) for queue in queues(CATALOG)] == [0, 0, 0, 0]


async def test_a_service_without_a_queue_of_its_own_stays_connected(
    rabbit: RabbitWorld, caplog: pytest.LogCaptureFixture
) -> None:
    async with rabbit.bus("gateway") as gateway:
        await asyncio.sleep(3 * CHECK_S)  # as many looks as it takes to give up a lost consumer
        assert gateway.healthy
    assert caplog.records == []


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
    rabbit: RabbitWorld, proxies: tuple[Proxy, Proxy], caplog: pytest.LogCaptureFixture
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
    rabbit: RabbitWorld, proxies: tuple[Proxy, Proxy]
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
    rabbit: RabbitWorld, proxies: tuple[Proxy, Proxy]
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


async def test_any_node_of_a_cluster_will_do(rabbit: RabbitWorld, proxies: tuple[Proxy, Proxy]) -> None:
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


async def test_a_connection_that_is_left_without_its_consumer_gets_one(rabbit: RabbitWorld) -> None:
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
    rabbit: RabbitWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kernel.adapters.rabbit.bus.CHECK_S", 0.05)
    inbox = Inbox()
    async with rabbit.bus("payments") as payments, rabbit.bus("orders") as orders:
        await payments.subscribe(inbox)
        first = payments._session
        assert first is not None
        first._service = "orders"  # Whose queue exists, and has no consumer.
        await until(lambda: payments._session is not first and payments.healthy)
        await orders.publish([placed(b"[1]")])
        assert await inbox.has(1) == [b"[1]"]


async def test_a_deleted_queue_is_declared_again_and_consumed(rabbit: RabbitWorld) -> None:
    inbox = Inbox()
    async with rabbit.bus("payments") as payments, rabbit.bus("orders") as orders:
        await payments.subscribe(inbox)
        await rabbit.lose_queue("payments")
        async with relayed(orders, placed(b"[1]")):
            assert await inbox.has(1) == [b"[1]"]


@asynccontextmanager
async def silent_server() -> AsyncIterator[str]:
    """Accepts connections, and never says a word."""

    async def ignore(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(ignore, "127.0.0.1", 0) as server:
        yield f"amqp://shop:secret@127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def refusal(urls: Sequence[str]) -> tuple[str, float]:
    """What `connect` says, and after how many seconds."""
    started = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        await RabbitBus(urls, "orders", CATALOG).connect()
    assert "secret" not in caught.value.detail
    assert "\n" not in caught.value.detail
    return caught.value.detail, time.monotonic() - started


async def test_a_broker_that_is_not_there_or_says_nothing_is_named_after_a_few_seconds_of_tries() -> None:
    async with silent_server() as silent:
        (refused, refused_s), (unanswered, unanswered_s) = await asyncio.gather(
            refusal(["amqp://shop:secret@127.0.0.1:1/"]), refusal([silent])
        )
    assert refused == "rabbitmq at 127.0.0.1:1: connection refused"
    assert unanswered == f"rabbitmq at 127.0.0.1:{URL(silent).port}: no answer in time"
    assert refused_s < 10
    assert unanswered_s < 10


async def test_a_wrong_password_is_told_at_once(broker: str) -> None:
    detail, seconds = await refusal([str(URL(broker).with_user("nobody").with_password("secret"))])
    assert "refuses the user 'nobody' or its password: 403 ACCESS_REFUSED" in detail
    assert seconds < 3


async def test_an_unknown_virtual_host_is_told_at_once(broker: str) -> None:
    detail, seconds = await refusal([str(URL(broker).with_path("/no-such-place"))])
    assert "refuses the virtual host 'no-such-place' to the user 'guest': 530 NOT_ALLOWED" in detail
    assert seconds < 3


@pytest.mark.parametrize(
    "url",
    [
        "",
        "garbage",
        "http://localhost",
        "amqp://",
        "amqp://:secret@/vhost",
        "amqp://localhost:secret/",
        "amqp://a b",
    ],
)
def test_a_malformed_url_is_told_before_any_try(url: str) -> None:
    with pytest.raises(Invalid) as caught:
        RabbitBus([url], "orders", CATALOG)
    assert caught.value.errors[0].field == "RABBITMQ_URL"
    assert "secret" not in caught.value.detail
