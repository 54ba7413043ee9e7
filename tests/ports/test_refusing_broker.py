"""A broker that refuses: the log names the refusal once, in the broker's words."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
from faststream.rabbit import RabbitQueue
from yarl import URL

from kernel.adapters.rabbit.bus import RabbitBus
from kernel.adapters.rabbit.notifications import RabbitNotifications
from kernel.adapters.rabbit.topology import listener_queue
from kernel.domain.errors import Unavailable
from kernel.ports.bus import Envelope
from orders.contract.messages import ORDER_PLACED
from payments.contract.messages import PAYMENT_CAPTURED
from tests.ports.buses import Inbox, RabbitBusWorld, placed, relayed, until
from tests.ports.test_bus_refusals import refusal
from tests.servers.rabbitmq import PrivateRabbitMQ

MEMORY = "{resource_limit, memory, node()}"
POOR = 'rabbit_auth_backend_internal:add_user(<<"poor">>, <<"secret">>, <<"test">>)'
MAY = (
    "rabbit_auth_backend_internal:set_permissions("
    '<<"poor">>, <<"/">>, <<".*">>, <<"{}">>, <<"{}">>, <<"test">>)'
)
MAY_TELL = (
    "rabbit_auth_backend_internal:set_topic_permissions("
    '<<"poor">>, <<"/">>, <<"shop.events">>, <<"{}">>, <<".*">>, <<"test">>)'
)
FULL = (
    'rabbit_policy:set(<<"/">>, <<"full">>, <<"^payments$">>, '
    '[{<<"max-length">>, 1}, {<<"overflow">>, <<"reject-publish">>}], 1, <<"queues">>, <<"test">>)'
)
NOT_FULL = 'rabbit_policy:delete(<<"/">>, <<"full">>, <<"test">>)'
GONE = 'rabbit_auth_backend_internal:delete_user(<<"poor">>, <<"test">>)'
ANY = ".*"


@pytest.fixture
async def poor(rabbit: RabbitBusWorld, node: PrivateRabbitMQ) -> AsyncIterator[str]:
    """The broker's URL for a user who may do everything, for now."""
    node.evaluate(POOR)
    node.evaluate(MAY.format(ANY, ANY))
    yield str(URL(rabbit.url).with_user("poor").with_password("secret"))
    node.evaluate(GONE)


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> pytest.LogCaptureFixture:
    """The lines of the log; the bus looks and forgets sooner than outside of tests."""
    monkeypatch.setattr(
        "kernel.adapters.rabbit.bus.CHECK_S", 0.2
    )  # A busy queue counts no consumers meanwhile.
    monkeypatch.setattr("kernel.application.backoff.DELAY_MAX_S", 0.2)
    monkeypatch.setattr("kernel.adapters.rabbit.refusals.REFUSED_S", 0.2)
    monkeypatch.setattr("kernel.application.trouble.QUIET_S", 0.6)
    caplog.set_level(logging.INFO, "kernel")
    return caplog


def said(lines: pytest.LogCaptureFixture) -> list[str]:
    assert not any(record.exc_info for record in lines.records)
    return [record.getMessage() for record in lines.records]


async def refused(bus: RabbitBus, envelope: Envelope, *, times: int) -> None:
    for _ in range(times):
        with pytest.raises(Unavailable):
            await bus.publish([envelope])
        await asyncio.sleep(0.02)  # as a relay would, which waits even longer


async def held_up(bus: RabbitBus) -> tuple[list[bytes], asyncio.Task[None]]:
    """What was published until one had to wait, that one included. An alarm takes hold of a connection a
    moment after it was set."""
    sent: list[bytes] = []
    while True:
        sent.append(b"[%d]" % len(sent))
        publishing = asyncio.create_task(bus.publish([placed(sent[-1])]))
        done, _ = await asyncio.wait({publishing}, timeout=0.5)
        if not done:
            return sent, publishing


async def test_a_broker_that_is_short_of_memory_is_not_healthy_until_it_takes_messages_again(
    rabbit: RabbitBusWorld, node: PrivateRabbitMQ, lines: pytest.LogCaptureFixture
) -> None:
    inbox = Inbox()
    async with rabbit.bus("orders") as orders, rabbit.bus("payments") as payments:
        await payments.subscribe(inbox)
        node.evaluate(f"rabbit_alarm:set_alarm({{{MEMORY}, []}})")
        try:
            sent, waiting = await held_up(orders)
            await until(lambda: not orders.healthy)
            session = orders._session
            await refused(orders, placed(b"[1]"), times=20)
            assert not orders.healthy
            assert payments.healthy, "who publishes nothing is not blocked"
            await until(lambda: len(said(lines)) == 1)
        finally:
            node.evaluate(f"rabbit_alarm:clear_alarm({MEMORY})")
        await waiting
        assert await inbox.has(len(sent)) == sent
        await until(lambda: orders.healthy and len(said(lines)) == 2)
        await orders.publish([placed(b"[last]")])
        assert await inbox.has(len(sent) + 1) == [*sent, b"[last]"]
        assert orders._session is session, "nothing was wrong with the connection"
    assert said(lines) == ["rabbitmq blocks publishers: it is short of memory or disk", "rabbitmq is back"]


async def test_a_type_that_may_not_be_published_is_named_and_holds_up_no_other(
    rabbit: RabbitBusWorld, node: PrivateRabbitMQ, poor: str, lines: pytest.LogCaptureFixture
) -> None:
    inbox = Inbox()
    node.evaluate(MAY_TELL.format("^shop.payments"))
    async with rabbit.bus("payments", urls=[poor]) as payments, rabbit.bus("orders") as orders:
        await orders.subscribe(inbox)
        for number in range(3):
            await refused(payments, placed(b"[1]"), times=5)
            async with relayed(payments, Envelope(PAYMENT_CAPTURED, b"[%d]" % number)):
                await inbox.has(number + 1)
        assert len(said(lines)) == 1
        node.evaluate(MAY_TELL.format(ANY))
        async with relayed(payments, placed(b"[1]")):
            pass
        await until(lambda: payments.healthy and len(said(lines)) == 2)
    refusal, back = said(lines)
    assert f"refuses: 403 ACCESS_REFUSED - access to topic '{ORDER_PLACED}'" in refusal
    assert back == "rabbitmq is back"


async def test_a_service_that_may_not_consume_is_not_healthy_and_says_why_once(
    rabbit: RabbitBusWorld, node: PrivateRabbitMQ, poor: str, lines: pytest.LogCaptureFixture
) -> None:
    inbox = Inbox()
    async with rabbit.bus("payments", urls=[poor]) as payments, rabbit.bus("orders") as orders:
        node.evaluate(MAY.format(ANY, "^shop.events$"))
        await payments.subscribe(inbox)
        await until(lambda: any("403 ACCESS_REFUSED" in line for line in said(lines)))
        assert not payments.healthy
        await orders.publish([placed(b"[1]")])
        node.evaluate(MAY.format(ANY, ANY))
        assert await inbox.has(1) == [b"[1]"]
        await until(lambda: payments.healthy)
    assert sum("403 ACCESS_REFUSED - access to queue 'payments'" in line for line in said(lines)) == 1
    assert said(lines)[-1] == "rabbitmq is back"


async def test_a_listener_that_may_not_consume_says_why_once(
    node: PrivateRabbitMQ, poor: str, lines: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each try has a queue of another name."""
    tried: list[str] = []

    def queue(name: str) -> RabbitQueue:
        tried.append(name)
        return listener_queue(name)

    monkeypatch.setattr("kernel.adapters.rabbit.notifications.listener_queue", queue)
    node.evaluate(MAY.format(ANY, "^$"))
    listening = asyncio.create_task(RabbitNotifications([poor], "gateway").listen("type", lambda _: None))
    await until(lambda: len(tried) > 3)
    listening.cancel()
    await asyncio.wait([listening])
    [line] = said(lines)
    assert "403 ACCESS_REFUSED" in line


async def test_a_queue_that_is_full_is_told_in_words(
    rabbit: RabbitBusWorld, node: PrivateRabbitMQ, lines: pytest.LogCaptureFixture
) -> None:
    async with rabbit.bus("orders") as orders, rabbit.bus("payments"):

        async def fill() -> None:
            for _ in range(100):
                await orders.publish([placed(b"[0]")])

        node.evaluate(FULL)
        try:
            with pytest.raises(Unavailable, match="a queue rejected it, probably because the queue is full"):
                await fill()
        finally:
            node.evaluate(NOT_FULL)


async def test_a_virtual_host_that_takes_no_more_connections_says_so(
    rabbit: RabbitBusWorld, node: PrivateRabbitMQ
) -> None:
    node.evaluate('rabbit_vhost:add(<<"full">>, <<"test">>)')
    limit = '[{<<"max-connections">>, 0}]'
    node.evaluate(f'rabbit_vhost_limit:set(<<"full">>, {limit}, <<"test">>)')
    permissions = '<<"guest">>, <<"full">>, <<".*">>, <<".*">>, <<".*">>, <<"test">>'
    node.evaluate(f"rabbit_auth_backend_internal:set_permissions({permissions})")
    try:
        words, _ = await refusal([str(URL(rabbit.url).with_path("/full"))])
    finally:
        node.evaluate('rabbit_vhost:delete(<<"full">>, <<"test">>)')
    assert "530 NOT_ALLOWED - access to vhost 'full' refused for user 'guest'" in words
    assert "connection limit (0) is reached" in words
