"""A service with a user of its own: what it may not declare it checks, and names what is missing."""

import asyncio
from collections.abc import Iterator

import aio_pika
import pytest
from aio_pika.exceptions import ChannelClosed
from yarl import URL

from kernel.adapters.rabbit.bus import RabbitBus
from kernel.adapters.rabbit.declaring import declare_at
from kernel.adapters.rabbit.definitions import definitions
from kernel.adapters.rabbit.notifications import RabbitNotifications
from kernel.domain.errors import Unavailable
from kernel.ports.bus import Envelope, Unreadable
from orders.contract.messages import ORDER_STATUS_CHANGED
from payments.contract.messages import PAYMENT_CAPTURED
from tests.catalog import CATALOG
from tests.ports.buses import Graveyard, Inbox, RabbitBusWorld, placed, until
from tests.servers.rabbitmq import PrivateRabbitMQ
from tests.servers.users import OPERATOR, SERVICES, as_user

BARE = "bare"
QUEUES = (
    "the queue orders.dead-letters, the queue orders, the queue payments.dead-letters, the queue payments"
)


@pytest.fixture
def bare(rabbit: RabbitBusWorld, node: PrivateRabbitMQ) -> Iterator[str]:
    """A virtual host without anything, where the users have their rights."""
    internal = "rabbit_auth_backend_internal"
    node.evaluate(f'rabbit_vhost:add(<<"{BARE}">>, <<"test">>)')
    for one in definitions(CATALOG)["permissions"]:
        rights = [one[right].replace("\\", "\\\\") for right in ("configure", "write", "read")]
        given = ", ".join(f'<<"{text}">>' for text in (one["user"], BARE, *rights, "test"))
        node.evaluate(f"{internal}:set_permissions({given})")
    yield str(URL(rabbit.url).with_path(f"/{BARE}"))
    node.evaluate(f'rabbit_vhost:delete(<<"{BARE}">>, <<"test">>)')


async def refused(url: str, service: str) -> str:
    with pytest.raises(Unavailable) as caught:
        async with asyncio.timeout(3):
            await RabbitBus([as_user(url, service)], service, CATALOG).__aenter__()
    assert "\n" not in caught.value.detail
    return caught.value.detail


async def test_a_queue_that_a_service_may_not_declare_is_named_in_one_line_until_an_operator_declares_it(
    bare: str,
) -> None:
    where = f"rabbitmq at 127.0.0.1:{URL(bare).port}"
    said = await refused(bare, "orders")
    assert said.startswith(
        f"{where} lacks the exchange shop.events, {QUEUES}, which the user 'orders' may not"
    )
    assert "run `shop broker declare` as a user who may" in said
    with pytest.raises(Unavailable, match=r"403 ACCESS_REFUSED - access to exchange 'shop\.events'"):
        await declare_at([as_user(bare, "orders")], CATALOG)

    await declare_at([as_user(bare, OPERATOR)], CATALOG)
    await declare_at([as_user(bare, OPERATOR)], CATALOG)
    inbox = Inbox()
    async with (
        RabbitBus([as_user(bare, "orders")], "orders", CATALOG) as orders,
        RabbitBus([as_user(bare, "payments")], "payments", CATALOG) as payments,
    ):
        await payments.subscribe(inbox)
        await orders.publish([placed(b"[1]")])
        assert await inbox.has(1) == [b"[1]"]

    async with await aio_pika.connect(as_user(bare, OPERATOR)) as connection:
        await (await connection.channel()).queue_delete("payments")
    assert f"{where} lacks the queue payments, which the user 'payments'" in await refused(bare, "payments")


async def test_a_listener_without_rights_to_declare_needs_the_exchange_and_has_a_queue_of_its_own(
    rabbit: RabbitBusWorld, node: PrivateRabbitMQ
) -> None:
    await declare_at([rabbit.url], CATALOG)
    heard: list[bytes] = []
    gateway = RabbitNotifications([as_user(rabbit.url, "gateway")], "gateway")
    listening = asyncio.create_task(gateway.listen(ORDER_STATUS_CHANGED, heard.append))
    await gateway.want(True)
    await until(lambda: gateway.healthy)
    async with RabbitBus([as_user(rabbit.url, "orders")], "orders", CATALOG) as orders:
        assert await orders.notify(Envelope(ORDER_STATUS_CHANGED, b"[1]"))
    await until(lambda: heard == [b"[1]"])
    listening.cancel()
    await asyncio.wait([listening])


async def test_a_listener_hears_nothing_else_and_speaks_by_no_queue(
    rabbit: RabbitBusWorld, node: PrivateRabbitMQ
) -> None:
    """The dead letters of a queue go to an exchange, and the rights to topics are not asked then."""
    await declare_at([rabbit.url], CATALOG)
    name = f"gateway-{'0' * 32}"
    speaking = {"x-dead-letter-exchange": "shop.events", "x-dead-letter-routing-key": PAYMENT_CAPTURED}
    async with await aio_pika.connect(as_user(rabbit.url, "gateway")) as connection:
        for arguments in (speaking, {"x-dead-letter-exchange": ""}):
            channel = await connection.channel()
            with pytest.raises(ChannelClosed, match="ACCESS_REFUSED"):
                await channel.declare_queue(name, exclusive=True, arguments=arguments)
        queue = await (await connection.channel()).declare_queue(name, exclusive=True)
        with pytest.raises(ChannelClosed, match="ACCESS_REFUSED"):
            await queue.bind("shop.events", PAYMENT_CAPTURED)


async def test_no_service_declares_deletes_or_binds_what_is_shared(
    rabbit: RabbitBusWorld, node: PrivateRabbitMQ
) -> None:
    await declare_at([rabbit.url], CATALOG)
    for user in SERVICES:
        async with await aio_pika.connect(as_user(rabbit.url, user)) as connection:

            async def is_refused(act: str, *names: str, connection: aio_pika.abc.AbstractConnection) -> None:
                channel = await (await connection.channel()).get_underlay_channel()
                with pytest.raises(Exception, match="ACCESS_REFUSED"):
                    await getattr(channel, act)(*names)

            for act, *names in (
                ("queue_declare", "mine"),
                ("queue_declare", f"x-gateway-{'0' * 32}"),
                ("queue_delete", "orders"),
                ("queue_purge", "payments" if user != "payments" else "orders"),
                ("queue_bind", "orders", "shop.events", PAYMENT_CAPTURED),
                ("queue_unbind", "orders", "shop.events", PAYMENT_CAPTURED),
                ("exchange_declare", "mine"),
                ("exchange_delete", "shop.events"),
            ):
                await is_refused(act, *names, connection=connection)


async def test_a_service_that_may_publish_into_no_queue_buries_its_own_dead_letters(
    rabbit: RabbitBusWorld, node: PrivateRabbitMQ
) -> None:
    async def refuse(body: bytes) -> None:
        raise Unreadable(body)

    await declare_at([rabbit.url], CATALOG)
    graveyard = Graveyard()
    async with (
        RabbitBus([as_user(rabbit.url, "orders")], "orders", CATALOG) as orders,
        RabbitBus([as_user(rabbit.url, "payments")], "payments", CATALOG) as payments,
    ):
        await payments.subscribe(Inbox(refuse), graveyard)
        await orders.publish([placed(b"bad")])
        assert [letter.body for letter in await graveyard.has(1)] == [b"bad"]
    await rabbit.holds("payments.dead-letters", 0)
