"""What was once published is understood for ever.

Each type of the catalogue has a golden message and the shape of its data. A struct that changes turns this
red: give the change a new version, with golden files of its own (`python -m tests.contracts.golden` writes
those that are missing), and leave the old ones alone.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

import gateway.wire
import orders.wire
import payments.wire
from kernel.adapters.cloudevents import Decoders, decode_events
from kernel.domain.events import Received
from orders.contract.messages import ORDER_STATUS_CHANGED
from tests.catalog import CATALOG
from tests.contracts.golden import GOLDEN, published, shape_of

CONSUMERS: Mapping[str, Decoders[Any]] = {"orders": orders.wire.DECODERS, "payments": payments.wire.DECODERS}
CONSUMED = [(name, consumer) for consumer in CONSUMERS for name in CATALOG.of(consumer).subscribes]
TYPES = [name for one in CATALOG.services for name in one.sends]


def golden(name: str) -> bytes:
    return (GOLDEN / name).read_bytes()


def test_every_type_has_its_golden_files_and_every_golden_file_its_type() -> None:
    kept = {path.name for path in GOLDEN.glob("*.json")}
    assert kept == {f"{name}{suffix}.json" for name in TYPES for suffix in ("", ".shape")}


@pytest.mark.parametrize("name", TYPES)
def test_the_shape_of_a_published_type_never_changes(name: str) -> None:
    assert shape_of(name) == msgspec.json.decode(golden(f"{name}.shape.json"))


def test_what_is_published_today_is_the_golden_message() -> None:
    for name, body in published():
        assert msgspec.json.decode(body) == msgspec.json.decode(golden(f"{name}.json"))


@pytest.mark.parametrize(("name", "consumer"), CONSUMED)
def test_a_golden_message_is_read_by_its_consumer(name: str, consumer: str) -> None:
    (read,) = decode_events(golden(f"{name}.json"), CONSUMERS[consumer])
    assert isinstance(read, Received)
    event = msgspec.json.decode(golden(f"{name}.json"))
    assert (read.message.source, read.message.id, read.type) == (event["source"], event["id"], name)
    assert str(read.fact.subject) == event["subject"] == event["data"]["orderId"]
    assert (read.fact.key, read.fact.traceparent) == (event["data"]["userId"], event["traceparent"])


@pytest.mark.parametrize(("name", "consumer"), CONSUMED)
def test_a_field_that_a_newer_publisher_adds_is_ignored(name: str, consumer: str) -> None:
    event = msgspec.json.decode(golden(f"{name}.json"))
    newer = {**event, "extension": "x", "data": {**event["data"], "addedLater": [1, {"deep": None}]}}
    (expected,) = decode_events(golden(f"{name}.json"), CONSUMERS[consumer])
    (read,) = decode_events(msgspec.json.encode([newer]), CONSUMERS[consumer])
    assert isinstance(expected, Received)
    assert isinstance(read, Received)
    assert read.fact == expected.fact


def test_a_golden_notification_is_read_by_the_gateway_and_its_order_passed_on_as_it_came() -> None:
    message = golden(f"{ORDER_STATUS_CHANGED}.json")
    event = msgspec.json.decode(message)
    newer = {**event, "extension": "x", "data": {**event["data"], "addedLater": 1}}
    for body in (message, b"[" + message + b"]", msgspec.json.encode([newer])):
        (change,) = gateway.wire.notified(body)
        assert str(change.order_id) == event["subject"] == event["data"]["order"]["id"]
        assert (change.sequence, change.status) == (2, "FINISHED")
        assert msgspec.json.decode(change.order) == event["data"]["order"]


def test_every_type_that_is_published_has_a_consumer() -> None:
    assert {name for name, _ in CONSUMED} == {name for one in CATALOG.services for name in one.publishes}
