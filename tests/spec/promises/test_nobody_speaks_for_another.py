"""At the broker a service publishes its own types of messages alone; a forged message changes nothing."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import aio_pika
import pytest
from uuid_utils.compat import uuid7

from kernel.adapters.lanes.lane import every_lane
from kernel.contracts.messaging import source_of
from kernel.contracts.parked import ParkedMessage
from orders.contract.messages import ORDER_CANCELLATION_REQUESTED, ORDER_PLACED, ORDER_STATUS_CHANGED
from payments.contract.messages import PAYMENT_DECLINED, PAYMENT_REFUNDED
from shop.dead_letters.acting import look
from shop.services import Shop as Settings
from shop.services import load_shop
from tests.servers.broker import Broker
from tests.servers.database import connected
from tests.servers.process import eventually
from tests.servers.shop import LANES, ThreeServices
from tests.servers.users import OPERATOR, SERVICES, as_user, refusal
from tests.spec.promises.test_unhandled_messages_are_parked import ADA, add_order, new_order_id
from tests.spec.scenario import Http
from tests.spec.store import Store

TABLES = {"payments": ("accounts", "transfers", "payments"), "orders": ("orders", "order_history")}
HAND = "hand"


@dataclass
class Books:
    """The rows of two users in both databases."""

    shop: ThreeServices
    alice: str
    mallory: str
    order_id: str

    @property
    def settings(self) -> Settings:
        return load_shop(self.shop.settings | self.shop.database_settings)

    async def read(self) -> dict[str, Any]:
        found = {}
        for service, tables in TABLES.items():
            url = self.shop.database_settings[f"{service.upper()}_DATABASE_URL"]
            async with connected(url) as connection:
                for table in tables:
                    of_lanes = (
                        f"SELECT t::text AS row FROM {lane.schema or 'public'}.{table} t"
                        " WHERE user_id = ANY($1)"
                        for lane in every_lane(LANES)
                    )
                    rows = f"{' UNION ALL '.join(of_lanes)} ORDER BY 1"
                    both = [self.alice, self.mallory]
                    found[table] = [row["row"] for row in await connection.fetch(rows, both)]
        return found

    def forgery(self, name: str) -> tuple[str, str, dict[str, Any]]:
        """Its type, the service whose queue it would go to, and its data."""
        match name:
            case "another user's order":
                data = {"orderId": self.order_id, "userId": self.mallory}
                return ORDER_CANCELLATION_REQUESTED, "payments", data
            case "a refund without a refund":
                return PAYMENT_REFUNDED, "orders", {"orderId": self.order_id, "userId": self.alice}
            case _:
                data = {"orderId": str(uuid7()), "userId": self.alice, "amount": "1.00", "currency": "RUB"}
                return ORDER_PLACED, "payments", data

    async def parked(self, order_id: str) -> ParkedMessage | None:
        return next((one for one in await self.all_parked() if one.subject == order_id), None)

    async def all_parked(self) -> Sequence[ParkedMessage]:
        listing = await look(self.settings, self.settings.stores, ADA, group=None, count_max=1000)
        return listing.messages


FORGERIES = ("another user's order", "a refund without a refund", "an order that was never placed")
each_forgery = pytest.mark.parametrize("forgery", FORGERIES)


@pytest.fixture(scope="module")
async def books(three_services: ThreeServices, coming_broker: Broker, http: Http) -> Books:
    if coming_broker.node is None:
        pytest.skip("only a broker of our own has the users")
    store = Store.at_the_gateway(http, three_services)
    alice, mallory = await store.open_account(funds="10.00"), await store.open_account(funds="10.00")
    order = await store.placed(alice, "4.00")
    assert (await store.decided(order["id"]))["status"] == "FINISHED"
    return Books(three_services, alice, mallory, order["id"])


@pytest.fixture
async def unchanged(books: Books) -> AsyncIterator[None]:
    before = await books.read()
    assert all(before.values())
    yield
    assert await books.read() == before


@pytest.fixture
async def hand(books: Books, coming_broker: Broker) -> AsyncIterator[str]:
    """A user for who publishes by hand, as docs/recipes/broker-users.md makes one; may say every type."""
    node = coming_broker.node
    assert node is not None
    internal = "rabbit_auth_backend_internal"
    node.evaluate(f'{internal}:add_user(<<"{HAND}">>, <<"{HAND}">>, <<"test">>)')
    rights = '<<"^$">>, <<"^(shop[.]events)$">>, <<"^$">>'
    node.evaluate(f'{internal}:set_permissions(<<"{HAND}">>, <<"/">>, {rights}, <<"test">>)')
    allow(coming_broker, "^shop[.]")
    yield HAND
    node.evaluate(f'{internal}:delete_user(<<"{HAND}">>, <<"test">>)')


def allow(broker: Broker, types: str) -> None:
    """The types that who publishes by hand may say, as a regular expression."""
    assert broker.node is not None
    topics = f'<<"shop.events">>, <<"{types}">>, <<"^$">>'
    broker.node.evaluate(
        f'rabbit_auth_backend_internal:set_topic_permissions(<<"{HAND}">>, <<"/">>, {topics}, <<"test">>)'
    )


def event(event_type: str, data: dict[str, Any], source: str = "", event_id: str = "") -> bytes:
    """An event of its own publisher, unless another source is given."""
    body = {
        "specversion": "1.0",
        "id": event_id or str(uuid7()),
        "source": source or source_of(event_type),
        "type": event_type,
        "subject": data["orderId"],
        "data": data,
    }
    return json.dumps(body).encode()


@each_forgery
async def test_the_exchange_refuses_a_message_that_the_service_may_not_publish(
    forgery: str, books: Books, unchanged: None
) -> None:
    event_type, _, data = books.forgery(forgery)
    publisher = event_type.split(".")[1]
    for user in {*SERVICES, OPERATOR} - {publisher}:
        words = await refusal(books.shop.broker.url, user, "shop.events", event_type, event(event_type, data))
        assert "ACCESS_REFUSED" in words, user
    assert await books.parked(data["orderId"]) is None


@each_forgery
async def test_no_service_gets_a_message_into_a_queue_past_the_exchange(
    forgery: str, books: Books, unchanged: None
) -> None:
    """Also what is its own to say."""
    event_type, queue, data = books.forgery(forgery)
    for user in SERVICES:
        for name in (queue, f"{queue}.dead-letters"):
            words = await refusal(books.shop.broker.url, user, "", name, event(event_type, data))
            assert "ACCESS_REFUSED - access to exchange 'amq.default'" in words, user
    assert await books.parked(data["orderId"]) is None


@each_forgery
async def test_a_message_whose_source_does_not_own_its_type_is_parked_and_changes_nothing(
    forgery: str, books: Books, unchanged: None, hand: str
) -> None:
    """It comes from any user who may publish the type, by the exchange or past it."""
    event_type, queue, data = books.forgery(forgery)
    url = books.shop.broker.url
    body = event(event_type, data, "/shop/gateway")
    assert await refusal(url, hand, "shop.events", event_type, body) == ""
    assert await refusal(url, "guest", "", queue, event(event_type, data, "/erp")) == ""

    async def both() -> ParkedMessage | None:
        found = await books.parked(data["orderId"])
        return found if found is not None and found.count >= 2 else None

    found = await eventually(both)
    assert (found.service, found.place, found.reason) == (queue, "parked", "foreign_source")
    assert "publishes this type" in found.detail


@each_forgery
async def test_a_service_that_may_publish_one_type_publishes_no_other_under_its_name(
    forgery: str, books: Books, unchanged: None, hand: str, coming_broker: Broker
) -> None:
    event_type, _, _ = books.forgery(forgery)
    allowed = {ORDER_PLACED: ORDER_CANCELLATION_REQUESTED, ORDER_CANCELLATION_REQUESTED: ORDER_PLACED}
    await is_set_aside(books, hand, coming_broker, allowed.get(event_type, PAYMENT_DECLINED), forgery)


@each_forgery
async def test_a_second_routing_key_publishes_no_other_type_either(
    forgery: str, books: Books, unchanged: None, hand: str, coming_broker: Broker
) -> None:
    """RabbitMQ 3.10 holds the rights against the first one only."""
    event_type, _, _ = books.forgery(forgery)
    for name in ("CC", "BCC"):
        await is_set_aside(books, hand, coming_broker, ORDER_STATUS_CHANGED, forgery, **{name: [event_type]})


async def is_set_aside(
    books: Books, hand: str, broker: Broker, allowed: str, forgery: str, **headers: list[str]
) -> None:
    """The forgery comes under the one type that its publisher may say."""
    event_type, queue, data = books.forgery(forgery)
    event_id = str(uuid7())
    allow(broker, f"^{allowed.replace('.', '[.]')}$")
    body = event(event_type, data, event_id=event_id)
    words = await refusal(books.shop.broker.url, hand, "shop.events", allowed, body, **headers)
    if headers and "ACCESS_REFUSED" in words:
        return
    assert words == ""

    async def set_aside() -> ParkedMessage | None:
        return next((one for one in await books.all_parked() if event_id in one.payload), None)

    found = await eventually(set_aside)
    assert (found.service, found.place, found.reason) == (queue, "parked", "foreign_type")
    assert found.detail == f"it came under the routing key {allowed!r}"


async def test_a_source_that_the_settings_allow_publishes_by_hand(
    three_services: ThreeServices, books: Books, hand: str, http: Http
) -> None:
    store = Store.at_the_gateway(http, three_services)
    balance, order_id = await store.balance(books.mallory), new_order_id(books.mallory)
    data = {"orderId": str(order_id), "userId": books.mallory, "amount": "1.00", "currency": "RUB"}
    body = event(ORDER_PLACED, data, "/erp")
    await add_order(books.settings, order_id, books.mallory, 100)
    other_sources = "payments", {"SHOP_EVENT_SOURCES": "/crm,/erp"}
    async with three_services.without("payments"), three_services.others(other_sources):
        assert await refusal(three_services.broker.url, hand, "shop.events", ORDER_PLACED, body) == ""
        assert (await store.decided(str(order_id)))["status"] == "FINISHED"
    assert balance - await store.balance(books.mallory) == 1


async def test_no_service_reads_the_queue_of_another(books: Books) -> None:
    queues = ("orders", "payments", "orders.dead-letters", "payments.dead-letters")
    for user in SERVICES:
        async with await aio_pika.connect(as_user(books.shop.broker.url, user)) as connection:
            for queue in queues:
                if queue.partition(".")[0] != user:
                    channel = await connection.channel()
                    with pytest.raises(aio_pika.exceptions.ChannelClosed, match="ACCESS_REFUSED"):
                        await (await channel.get_queue(queue, ensure=False)).get(timeout=5)
