"""Writes the golden files that are missing, and touches no other: `python -m tests.contracts.golden`."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
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
_EVENTS: list[tuple[Any, Event]] = [
    (orders.wire.encode, OrderPlaced(**_COMMON, amount=4990, currency="RUB")),
    (orders.wire.encode, CancellationRequested(**_COMMON)),
    (orders.wire.encode, OrderStatusChanged(**_COMMON, order=_FINISHED, change=_FINISHED.status_changed())),
    (payments.wire.encode, PaymentCaptured(**_COMMON, transfer_id=UUID(int=_ORDER.int + 1))),
    (payments.wire.encode, PaymentDeclined(**_COMMON, reason="insufficient_funds")),
    (payments.wire.encode, PaymentRefunded(**_COMMON)),
    (payments.wire.encode, PaymentVoided(**_COMMON)),
]


def shape_of(name: str) -> Any:
    """The JSON schema of a type's data, with the published values by name."""

    def by_name(kind: type) -> dict[str, Any]:
        assert kind in (Amount, UserId)
        return {"title": kind.__name__}

    return msgspec.json.schema(CATALOG.publisher_of(name).sends[name], schema_hook=by_name)


def published() -> Iterator[tuple[str, bytes]]:
    """The types that services publish today, each with its golden message."""
    for encode, event in _EVENTS:
        event_id = UUID(bytes=hashlib.sha256(type(event).__name__.encode()).digest()[:16], version=4)
        yield encode(event, event_id, _AT)


def main() -> None:
    GOLDEN.mkdir(exist_ok=True)
    for name, body in published():
        for path, text in (
            (GOLDEN / f"{name}.json", body),
            (GOLDEN / f"{name}.shape.json", msgspec.json.encode(shape_of(name))),
        ):
            if not path.exists():
                path.write_bytes(msgspec.json.format(text, indent=2) + b"\n")


if __name__ == "__main__":
    main()
