"""Messages: what was written is read back, and what cannot be read is set aside one by one."""

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.adapters.cloudevents import Decoders, decode_events, encode_event
from kernel.contracts.values import Amount, UserId
from kernel.domain.events import MessageId, OrderEvent, Received, Unhandled
from kernel.ports.bus import Unreadable
from orders.contract.messages import ORDER_PLACED, OrderPlacedV1
from payments.contract.messages import PAYMENT_DECLINED
from tests.builders import TRACE
from tests.unit.clock import START, id_of

SOURCE = "/shop/orders"
ORDER = OrderEvent(order_id=id_of(1), user_id="alice", traceparent=TRACE)
# A translation that keeps what it was given, to be looked at.
DECODERS: Decoders[Any] = {ORDER_PLACED: (OrderPlacedV1, lambda data, origin: (data, origin["traceparent"]))}


def written(number: int = 1, *, minor: int = 1000, user_id: str = "alice") -> bytes:
    data = OrderPlacedV1(ORDER.order_id, UserId(user_id), Amount(minor), "RUB")
    return encode_event(ORDER, id_of(number), START, source=SOURCE, type=ORDER_PLACED, data=data)


def by_hand(**changes: Any) -> bytes:
    """An event as another system would write it; a change to None leaves the attribute out."""
    event = {
        "specversion": "1.0",
        "id": "1",
        "source": "/crm",
        "type": ORDER_PLACED,
        "subject": "the order",
        "data": {"orderId": str(id_of(1)), "userId": 7, "amount": "5", "currency": "RUB"},
    }
    return json.dumps({k: v for k, v in (event | changes).items() if v is not None}).encode()


def read(body: bytes) -> list[Any]:
    return list(decode_events(body, DECODERS))


def test_an_event_carries_the_attributes_of_cloudevents() -> None:
    event = json.loads(written(5))
    assert event | {"data": None} == {
        "specversion": "1.0",
        "id": str(id_of(5)),
        "source": SOURCE,
        "type": ORDER_PLACED,
        "subject": str(ORDER.order_id),
        "time": "2025-01-01T00:00:00Z",
        "traceparent": TRACE,
        "data": None,
    }


def test_an_event_names_the_call_and_the_key_behind_it() -> None:
    event = replace(ORDER, request_id="call-1", idempotency_key="cart 7")
    data = OrderPlacedV1(ORDER.order_id, UserId("alice"), Amount(1), "RUB")
    body = encode_event(event, id_of(1), START, source=SOURCE, type=ORDER_PLACED, data=data)
    assert (json.loads(body)["requestid"], json.loads(body)["idempotencykey"]) == ("call-1", "cart 7")
    (origin,) = decode_events(body, {ORDER_PLACED: (OrderPlacedV1, lambda _, origin: origin)})
    assert origin.fact == {"traceparent": TRACE, "request_id": "call-1", "idempotency_key": "cart 7"}


@pytest.mark.parametrize("strange", [5, True, {"a": 1}, None, "a b", "a" * 300])
def test_an_event_of_others_is_read_whatever_it_holds_in_their_place(strange: object) -> None:
    body = by_hand(requestid=strange, idempotencykey=strange)
    (read_event,) = decode_events(body, {ORDER_PLACED: (OrderPlacedV1, lambda _, origin: origin)})
    assert isinstance(read_event, Received)
    assert read_event.fact["request_id"] == ""


def test_amounts_are_numbers_with_two_digits_in_messages_too() -> None:
    assert b'"amount":10.00,' in written(minor=1000)


@given(
    st.lists(
        max_size=20,
        elements=st.tuples(
            st.integers(1, 99_999_999_999_999), st.from_regex("[a-z0-9][a-z0-9|@]{0,20}", fullmatch=True)
        ),
    )
)
def test_every_event_of_a_batch_is_read_as_it_was_written_and_in_order(orders: list[tuple[int, str]]) -> None:
    events = [written(n, minor=minor, user_id=user) for n, (minor, user) in enumerate(orders)]
    received = read(b"[" + b",".join(events) + b"]")
    assert [item.message for item in received] == [
        MessageId(SOURCE, str(id_of(n))) for n in range(len(orders))
    ]
    assert [(item.fact[0].amount.minor, item.fact[0].user_id) for item in received] == orders
    assert [item.payload for item in received] == events
    assert all(item.fact[1] == TRACE for item in received)


def test_a_single_event_in_structured_mode_is_read_too() -> None:
    (received,) = read(by_hand())
    assert isinstance(received, Received)
    assert received.message == MessageId("/crm", "1")
    assert (received.fact[0].user_id, received.fact[0].amount.minor) == ("7", 500)


def test_an_empty_batch_holds_nothing() -> None:
    assert read(b" [] ") == []


def test_attributes_that_are_not_known_change_nothing() -> None:
    (received,) = read(
        by_hand(partitionkey="x", datacontenttype="application/json", time="2026-01-31T12:00:00+03:00")
    )
    assert isinstance(received, Received)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"garbage",
        b"[",
        b"[1,",
        b"{",
        b"[]]",
        b'"text"',
        b"5",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b"\x1f\x8b\x08",
        b"<event/>",
        b'{"id": "1"} {"id": "2"}',
    ],
)
def test_a_body_that_is_no_array_or_object_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        read(body)


def test_a_message_of_more_events_than_the_contract_allows_is_unreadable() -> None:
    events = [written(number) for number in range(201)]
    assert len(read(b"[" + b",".join(events[:200]) + b"]")) == 200
    with pytest.raises(Unreadable, match="201"):
        read(b"[" + b",".join(events) + b"]")


@pytest.mark.parametrize(
    "element",
    [
        b"5",
        b"null",
        b'"text"',
        b"[]",
        b"{}",
        b'{"id":"1"}',
        b'{"id":"\xff"}',
        by_hand(id=5),
        by_hand(source=None),
        by_hand(type=None),
        by_hand(specversion=None),
        by_hand(time="soon"),
    ],
)
def test_an_element_that_is_no_event_is_set_aside_under_the_hash_of_its_bytes(element: bytes) -> None:
    before, aside, after = read(b"[" + b",".join([written(1), element, written(2)]) + b"]")
    assert (type(before), type(after)) == (Received, Received)
    digest = hashlib.sha256(element).hexdigest()
    assert isinstance(aside, Unhandled)
    assert (aside.message, aside.subject, aside.type) == (MessageId("sha256", digest), digest, "")
    assert (aside.reason, aside.payload) == ("invalid_event", element)


def test_an_event_of_a_type_that_nobody_handles_is_set_aside() -> None:
    (aside,) = read(by_hand(type="shop.orders.order-lost.v9"))
    assert isinstance(aside, Unhandled)
    assert (aside.reason, aside.type, aside.subject) == (
        "unknown_type",
        "shop.orders.order-lost.v9",
        "the order",
    )
    assert aside.message == MessageId("/crm", "1")


def test_a_published_type_that_this_service_does_not_take_is_set_aside() -> None:
    (aside,) = read(by_hand(type=PAYMENT_DECLINED))
    assert (aside.reason, aside.type) == ("unknown_type", PAYMENT_DECLINED)


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"orderId": "no uuid", "userId": "a", "amount": 1, "currency": "RUB"},
        {"orderId": str(id_of(1)), "userId": "a/b", "amount": 1, "currency": "RUB"},
        {"orderId": str(id_of(1)), "userId": "a", "amount": 0.001, "currency": "RUB"},
        {"orderId": str(id_of(1)), "userId": "a", "amount": 1, "currency": None},
    ],
)
def test_an_event_whose_data_are_not_those_of_its_type_is_set_aside(data: object) -> None:
    body = by_hand(data=data)
    (aside,) = read(body)
    assert isinstance(aside, Unhandled)
    assert (aside.reason, aside.type, aside.payload) == ("invalid_data", ORDER_PLACED, body)
    assert aside.message == MessageId("/crm", "1")


def test_fields_that_a_newer_publisher_added_change_nothing() -> None:
    data = {"orderId": str(id_of(1)), "userId": "a", "amount": 1, "currency": "RUB", "new": [1]}
    (received,) = read(by_hand(data=data))
    assert isinstance(received, Received)


@pytest.mark.parametrize("attribute", ["id", "source", "type"])
def test_an_event_without_an_identity_is_no_event(attribute: str) -> None:
    (aside,) = read(by_hand(**{attribute: ""}))
    assert isinstance(aside, Unhandled)
    assert aside.reason == "invalid_event"
