"""Writes missing golden files, and changes no existing one: `python -m tests.contracts.golden`."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

import orders.wire
import payments.wire
from kernel.contracts.values import Amount, UserId
from kernel.domain.events import Event
from orders.domain.events import CancellationRequested, OrderPlaced
from orders.domain.order import Order, OrderStatusChanged
from orders.domain.status import Status
from payments.domain.events import PaymentCaptured, PaymentDeclined, PaymentRefunded, PaymentVoided
from tests.catalog import CATALOG

GOLDEN = Path(__file__).parent / "golden"

_ORDER = UUID("0198c1a2-7b3c-7d4e-8f50-617283940516")
_COMMON: dict[str, Any] = {
    "order_id": _ORDER,
    "user_id": "tenant|alice@example.org",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
}
_AT = datetime(2026, 1, 31, 12, 0, 0, 123456, UTC)
_FINISHED = Order(
    id=_ORDER,
    user_id=_COMMON["user_id"],
    amount=4990,
    currency="RUB",
    description="a book",
    status=Status.FINISHED,
    reason=None,
    idempotency_key=None,
    cancel_requested_at=None,
    ask_again_at=None,
    created_at=_AT,
    updated_at=_AT,
)
# The fields of the call and of the order that may be absent.
_NAMED = {**_COMMON, "request_id": "call-1", "idempotency_key": "cart-1001"}
_PAY_BY = _AT + timedelta(hours=1)
_WITH_PAY_BY = replace(_FINISHED, pay_by=_PAY_BY)


def _events(common: dict[str, Any], order: Order) -> list[tuple[Any, Event]]:
    return [
        (orders.wire.encode, OrderPlaced(**common, amount=4990, currency="RUB", pay_by=order.pay_by)),
        (orders.wire.encode, CancellationRequested(**common)),
        (orders.wire.encode, OrderStatusChanged(**common, order=order, change=order.status_changed())),
        (payments.wire.encode, PaymentCaptured(**common, transfer_id=UUID(int=_ORDER.int + 1))),
        (payments.wire.encode, PaymentDeclined(**common, reason="insufficient_funds")),
        (payments.wire.encode, PaymentRefunded(**common)),
        (payments.wire.encode, PaymentVoided(**common)),
    ]


# By the ending of the file's name.
_EVENTS = {"": _events(_COMMON, _FINISHED), ".full": _events(_NAMED, _WITH_PAY_BY)}


def shape_of(name: str) -> Any:
    """The JSON schema of a type's data, without texts. Amounts and user ids appear by name only."""

    def by_name(kind: type) -> dict[str, Any]:
        assert kind in (Amount, UserId), kind
        return {"title": kind.__name__}

    return _without_texts(msgspec.json.schema(CATALOG.publisher_of(name).sends[name], schema_hook=by_name))


def shapes_kept(name: str) -> list[Any]:
    """The shapes that the type's data has had, oldest first."""
    files = [GOLDEN / f"{name}.shape.json", *sorted(GOLDEN.glob(f"{name}.shape.*.json"))]
    return [_without_texts(msgspec.json.decode(file.read_bytes())) for file in files if file.exists()]


def _without_texts(schema: Any) -> Any:
    """A description is a text; a property of this name is not."""
    if isinstance(schema, list):
        return [_without_texts(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _without_texts(one)
        for key, one in schema.items()
        if not (key == "description" and isinstance(one, str))
    }


def has_grown(before: Any, after: Any) -> bool:
    """Whether `after` is `before` with more optional fields: an old consumer ignores them, and a new consumer
    accepts a message without them."""
    return all(
        name in after["$defs"]
        and kept | {"properties": {}} == after["$defs"][name] | {"properties": {}}
        and kept["properties"].items() <= after["$defs"][name]["properties"].items()
        for name, kept in before["$defs"].items()
    )


def published() -> Iterator[tuple[str, bytes]]:
    """The golden messages of today's types, by the names of their files: of each type one with the required
    fields only, and one (`.full`) with all fields."""
    for ending, events in _EVENTS.items():
        for encode, event in events:
            event_id = UUID(bytes=hashlib.sha256(type(event).__name__.encode()).digest()[:16], version=4)
            name, body = encode(event, event_id, _AT)
            yield f"{name}{ending}", body


def main() -> None:
    GOLDEN.mkdir(exist_ok=True)
    for name, body in published():
        _write_missing(f"{name}.json", body)
    for name in (name for one in CATALOG.services for name in one.sends):
        kept, today = shapes_kept(name), shape_of(name)
        if not kept:
            _write_missing(f"{name}.shape.json", msgspec.json.encode(today))
        elif today != kept[-1] and has_grown(kept[-1], today):
            _write_missing(f"{name}.shape.{len(kept) + 1}.json", msgspec.json.encode(today))


def _write_missing(name: str, text: bytes) -> None:
    if not (GOLDEN / name).exists():
        (GOLDEN / name).write_bytes(msgspec.json.format(text, indent=2) + b"\n")


if __name__ == "__main__":
    main()
