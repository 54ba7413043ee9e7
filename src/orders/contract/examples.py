"""Example bodies for the OpenAPI document of orders. They continue the examples of payments."""

from decimal import Decimal
from typing import Any

_ID = "0198c1a2-7b3c-7d4e-8f50-617283940516"
_AT = "2026-01-31T12:00:00.123456Z"

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
SERIES_STEP = {
    "start": "2026-01-01T12:00:00Z",
    "orders": 150,
    "ordersPerSecond": 10.0,
    "sampled": 150,
    "decided": 150,
    "decidedP50Seconds": 0.012,
    "decidedP99Seconds": 0.085,
    "final": True,
}
AUDIT_RUN: dict[str, Any] = {
    "number": 7,
    "id": "019b7a5c-2f00-7000-8000-00000000000c",
    "state": "unsound",
    "detail": "",
    "operator": "ada",
    "through": "gateway",
    "beganAt": _AT,
    "endedAt": _AT,
    "phase": "each order with its payment",
    "done": 1000,
    "total": 1000,
    "checked": [{"check": "orders", "count": 1000, "faults": 1}],
    "faultCount": 1,
    "faults": [
        {
            "check": "orders",
            "kind": "finished_not_captured",
            "subject": "order 019b7a5c-2f00-7000-8000-000000000001 of alice",
            "is": "FINISHED, not decided",
            "shouldBe": "captured",
        }
    ],
}
