"""What comes from another source than its type is not handled: the guard behind the rights at the broker."""

from collections.abc import Sequence

import msgspec
import pytest

from kernel.adapters.sources import ROUTING_KEY, from_its_publisher
from kernel.contracts.messaging import source_of
from kernel.domain.events import MessageId, OrderEvent, Received, Unhandled
from tests.catalog import CATALOG
from tests.contracts.golden import published
from tests.unit.clock import id_of

CAPTURED = "shop.payments.payment-captured.v1"
FACT = OrderEvent(order_id=id_of(1), user_id="ada", traceparent="")
UNREAD = Unhandled(MessageId("/crm", "9"), "shop.crm.t.v1", "", "unknown_type", "", b"{}")


def decoded(*sources: str, allowed: Sequence[str] = ()) -> list[Received[OrderEvent] | Unhandled]:
    items = [Received(MessageId(source, "1"), CAPTURED, FACT, b"{}") for source in sources]
    return list(from_its_publisher(lambda _: [*items, UNREAD], allowed)(b"[]"))


def test_an_event_of_its_publisher_is_handled() -> None:
    read, other = decoded("/shop/payments")
    assert isinstance(read, Received)
    assert other is UNREAD


@pytest.mark.parametrize(
    "source", ["/shop/orders", "/erp", "shop/payments", "/shop/payments/", "/SHOP/payments"]
)
def test_one_of_another_source_is_set_aside_with_what_was_expected(source: str) -> None:
    refused, beside = decoded(source, "/shop/payments")[:2]
    assert isinstance(refused, Unhandled)
    assert (refused.reason, refused.type, refused.subject) == ("foreign_source", CAPTURED, str(id_of(1)))
    assert refused.detail == f"the source is {source!r}, but /shop/payments publishes this type"
    assert (refused.message, refused.payload) == (MessageId(source, "1"), b"{}")
    assert isinstance(beside, Received)


def test_one_that_came_under_another_routing_key_is_set_aside_whoever_says_it() -> None:
    token = ROUTING_KEY.set("shop.payments.payment-declined.v1")
    try:
        for allowed in ([], ["/shop/payments"]):
            refused, beside = decoded("/shop/payments", allowed=allowed)
            assert isinstance(refused, Unhandled)
            assert (refused.reason, refused.type) == ("foreign_type", CAPTURED)
            assert refused.detail == "it came under the routing key 'shop.payments.payment-declined.v1'"
            assert beside is UNREAD
        ROUTING_KEY.set(CAPTURED)
        assert isinstance(decoded("/shop/payments")[0], Received)
    finally:
        ROUTING_KEY.reset(token)


def test_a_source_that_is_allowed_may_say_every_type() -> None:
    assert isinstance(decoded("/erp", allowed=["/crm", "/erp"])[0], Received)
    assert isinstance(decoded("/er", allowed=["/crm", "/erp"])[0], Unhandled)
    assert isinstance(decoded("", allowed=[""])[0], Received), "no event has an empty source"


def test_every_type_of_ours_begins_with_the_words_of_its_source() -> None:
    for service in CATALOG.services:
        assert {source_of(name) for name in service.sends} <= {f"/shop/{service.service}"}
    for name, body in published():
        assert msgspec.json.decode(body)["source"] == source_of(name)
