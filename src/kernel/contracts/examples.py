"""Examples of bodies and messages for the documents; one story throughout."""

from decimal import Decimal
from typing import Any

from kernel.contracts.values import encode

_ID = "0198c1a2-7b3c-7d4e-8f50-617283940516"
_AT = "2026-01-31T12:00:00.123456Z"

OPEN_ACCOUNT: dict[str, Any] = {"userId": "alice"}
ACCOUNT: dict[str, Any] = {"userId": "alice", "balance": Decimal("0.00"), "currency": "RUB", "createdAt": _AT}
DEPOSIT: dict[str, Any] = {"amount": "100.00"}
DEPOSITED: dict[str, Any] = {**ACCOUNT, "balance": Decimal("100.00"), "transactionId": _ID}
TRANSACTIONS: list[dict[str, Any]] = [
    {
        "id": "0198c1a2-8c4d-7e5f-9061-728394051627",
        "sequence": 2,
        "kind": "capture",
        "amount": Decimal("-49.90"),
        "balanceAfter": Decimal("50.10"),
        "orderId": _ID,
        "createdAt": _AT,
    },
    {
        "id": _ID,
        "sequence": 1,
        "kind": "deposit",
        "amount": Decimal("100.00"),
        "balanceAfter": Decimal("100.00"),
        "createdAt": _AT,
    },
]
PLACE_ORDER: dict[str, Any] = {"userId": "alice", "amount": Decimal("49.90"), "description": "a book"}
ORDER: dict[str, Any] = {
    "id": _ID,
    "userId": "alice",
    "amount": Decimal("49.90"),
    "currency": "RUB",
    "description": "a book",
    "status": "NEW",
    "reason": None,
    "createdAt": _AT,
    "updatedAt": _AT,
}
FINISHED_ORDER: dict[str, Any] = {**ORDER, "status": "FINISHED"}
STATUS_EVENT: dict[str, Any] = {"event": "status", "id": "2", "data": encode(FINISHED_ORDER).decode()}
REFUNDING_ORDER: dict[str, Any] = {**ORDER, "status": "REFUNDING"}
HISTORY: list[dict[str, Any]] = [
    {"sequence": 1, "status": "NEW", "reason": None, "at": _AT},
    {"sequence": 2, "status": "FINISHED", "reason": None, "at": _AT},
]
BATCH: list[dict[str, Any]] = [
    {**PLACE_ORDER, "idempotencyKey": "cart-1001"},
    {**PLACE_ORDER, "amount": 1000},
]
BATCH_OUTCOMES: list[dict[str, Any]] = [
    {"status": 201, "order": ORDER, "replayed": False},
    {
        "status": 402,
        "problem": {
            "type": "urn:shop:problem:insufficient_funds",
            "title": "The balance does not suffice",
            "status": 402,
            "detail": "the balance does not suffice for this order",
            "instance": "/orders",
            "code": "insufficient_funds",
        },
    },
]
ADMISSION: dict[str, Any] = {"userId": "alice", "amount": Decimal("49.90")}

_OF_THE_ORDER: dict[str, Any] = {"orderId": _ID, "userId": "alice"}
MESSAGES: dict[str, dict[str, Any]] = {
    "shop.orders.order-placed.v1": {**_OF_THE_ORDER, "amount": Decimal("49.90"), "currency": "RUB"},
    "shop.orders.order-cancellation-requested.v1": _OF_THE_ORDER,
    "shop.orders.order-status-changed.v1": {**_OF_THE_ORDER, "order": FINISHED_ORDER, "sequence": 2},
    "shop.payments.payment-captured.v1": {**_OF_THE_ORDER, "transactionId": TRANSACTIONS[0]["id"]},
    "shop.payments.payment-declined.v1": {**_OF_THE_ORDER, "reason": "insufficient_funds"},
    "shop.payments.payment-refunded.v1": _OF_THE_ORDER,
    "shop.payments.payment-voided.v1": _OF_THE_ORDER,
}


def event(name: str, publisher: str) -> dict[str, Any]:
    return {
        "id": "0198c1a2-9d5e-7f60-8172-839405162738",
        "source": f"/shop/{publisher}",
        "type": name,
        "specversion": "1.0",
        "time": _AT,
        "subject": _ID,
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "requestid": "0af7651916cd43dd8448eb211c80319c",
        "idempotencykey": "cart-1001",
        "data": MESSAGES[name],
    }
