"""Example bodies for the OpenAPI document of payments. The examples of orders continue these."""

from decimal import Decimal
from typing import Any

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
NOTED = {"note": "asked for by phone"}
CORRECTION: dict[str, Any] = {"amount": "-10.00", "note": "deposited twice"}
ADMISSION: dict[str, Any] = {"userId": "alice", "amount": Decimal("49.90")}
