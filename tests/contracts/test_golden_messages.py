"""Consumers understand every message that was ever published.

Each type of the catalogue has golden messages and the shape of its data. A changed struct fails here: give
the change a new version with its own golden files (`python -m tests.contracts.golden` writes missing files),
and leave the old files alone. An optional field may be added to a type: its shape has grown, and gets one
more file.
"""

from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any

import msgspec
import pytest

import gateway.wire
import orders.wire
import payments.wire
from kernel.adapters.cloudevents import Decoders, decode_events
from kernel.domain.events import Received
from orders.contract.messages import ORDER_PLACED, ORDER_STATUS_CHANGED
from payments.domain.events import OrderPlaced
from tests.catalog import CATALOG
from tests.contracts.golden import GOLDEN, has_grown, published, shape_of, shapes_kept

CONSUMERS: Mapping[str, Decoders[Any]] = {"orders": orders.wire.DECODERS, "payments": payments.wire.DECODERS}
CONSUMED = [(name, consumer) for consumer in CONSUMERS for name in CATALOG.of(consumer).subscribes]
TYPES = [name for one in CATALOG.services for name in one.sends]
ENDINGS = ("", ".full")
READ = [(name, ending, consumer) for name, consumer in CONSUMED for ending in ENDINGS]


def golden(name: str) -> bytes:
    return (GOLDEN / name).read_bytes()


def test_every_type_has_its_golden_files_and_every_golden_file_its_type() -> None:
    kept = {path.name for path in GOLDEN.glob("*.json")}
    later = {f"{name}.shape.{n}.json" for name in TYPES for n in range(2, len(shapes_kept(name)) + 1)}
    assert kept == {f"{name}{ending}.json" for name in TYPES for ending in (*ENDINGS, ".shape")} | later


@pytest.mark.parametrize("name", TYPES)
def test_the_shape_of_a_published_type_only_grows(name: str) -> None:
    kept = shapes_kept(name)
    assert shape_of(name) == kept[-1]
    for before, after in pairwise(kept):
        assert before != after
        assert has_grown(before, after)


def test_a_shape_with_a_removed_changed_or_new_required_field_has_not_grown() -> None:
    def shape(required: list[str], **properties: Any) -> Any:
        return {"$defs": {"A": {"type": "object", "properties": properties, "required": required}}}

    text, number = {"type": "string"}, {"type": "integer"}
    before = shape(["a"], a=text, b=text)
    assert has_grown(before, shape(["a"], a=text, b=text, c=number))
    for after in (
        shape(["a"], a=text),
        shape(["a"], a=text, b=number),
        shape(["a", "c"], a=text, b=text, c=number),
        shape([], a=text, b=text),
        {"$defs": {}},
    ):
        assert not has_grown(before, after), after


def test_todays_messages_equal_the_golden_messages() -> None:
    for name, body in published():
        assert msgspec.json.decode(body) == msgspec.json.decode(golden(f"{name}.json"))


@pytest.mark.parametrize(("name", "ending", "consumer"), READ)
def test_a_golden_message_is_read_by_its_consumer(name: str, ending: str, consumer: str) -> None:
    message = golden(f"{name}{ending}.json")
    (read,) = decode_events(message, CONSUMERS[consumer])
    assert isinstance(read, Received)
    event = msgspec.json.decode(message)
    assert (read.message.source, read.message.id, read.type) == (event["source"], event["id"], name)
    assert str(read.fact.subject) == event["subject"] == event["data"]["orderId"]
    assert (read.fact.key, read.fact.traceparent) == (event["data"]["userId"], event["traceparent"])
    names = event.get("requestid", ""), event.get("idempotencykey", "")
    assert (read.fact.request_id, read.fact.idempotency_key) == names
    assert any(names) == (ending == ".full")


@pytest.mark.parametrize("ending", ENDINGS)
def test_payments_reads_the_deadline_of_an_order(ending: str) -> None:
    message = golden(f"{ORDER_PLACED}{ending}.json")
    (read,) = decode_events(message, payments.wire.DECODERS)
    assert isinstance(read, Received)
    assert isinstance(read.fact, OrderPlaced)
    given = msgspec.json.decode(message)["data"].get("payBy")
    assert read.fact.pay_by == (given and datetime.fromisoformat(given))


@pytest.mark.parametrize(("name", "consumer"), CONSUMED)
def test_a_field_that_a_newer_publisher_adds_is_ignored(name: str, consumer: str) -> None:
    event = msgspec.json.decode(golden(f"{name}.json"))
    newer = {**event, "extension": "x", "data": {**event["data"], "addedLater": [1, {"deep": None}]}}
    (expected,) = decode_events(golden(f"{name}.json"), CONSUMERS[consumer])
    (read,) = decode_events(msgspec.json.encode([newer]), CONSUMERS[consumer])
    assert isinstance(expected, Received)
    assert isinstance(read, Received)
    assert read.fact == expected.fact


def test_a_golden_notification_is_read_by_the_gateway_and_its_order_passed_on_unchanged() -> None:
    message, full = (golden(f"{ORDER_STATUS_CHANGED}{ending}.json") for ending in ENDINGS)
    event = msgspec.json.decode(message)
    newer = {**event, "extension": "x", "data": {**event["data"], "addedLater": 1}}
    for body in (message, full, b"[" + message + b"]", msgspec.json.encode([newer])):
        event = msgspec.json.decode(body)
        event = event[0] if isinstance(event, list) else event
        (change,) = gateway.wire.notified(body)
        assert str(change.order_id) == event["subject"] == event["data"]["order"]["id"]
        assert (change.sequence, change.status) == (2, "FINISHED")
        assert msgspec.json.decode(change.order) == event["data"]["order"]


def test_every_type_that_is_published_has_a_consumer() -> None:
    assert {name for name, _ in CONSUMED} == {name for one in CATALOG.services for name in one.publishes}
