"""What the orders service publishes. `data` of every message names the order and its user."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from kernel.contracts.http import Moment
from kernel.contracts.values import Amount, UserId
from orders.contract.examples import FINISHED_ORDER
from orders.contract.http import Order

ORDER_PLACED = "shop.orders.order-placed.v1"
ORDER_CANCELLATION_REQUESTED = "shop.orders.order-cancellation-requested.v1"
ORDER_STATUS_CHANGED = "shop.orders.order-status-changed.v1"


class OrderPlacedV1(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    order_id: UUID
    user_id: UserId
    amount: Amount
    currency: str
    pay_by: Moment | None = None


class OrderCancellationRequestedV1(msgspec.Struct, frozen=True, rename="camel"):
    order_id: UUID
    user_id: UserId


class OrderStatusChangedV1(msgspec.Struct, frozen=True, rename="camel"):
    """A notification: the order as it was right after the change that has this number in its history.

    There is none of the first change, which OrderPlacedV1 tells.
    """

    order_id: UUID
    user_id: UserId
    order: Order
    sequence: int


PUBLISHES: Mapping[str, type[msgspec.Struct]] = {
    ORDER_PLACED: OrderPlacedV1,
    ORDER_CANCELLATION_REQUESTED: OrderCancellationRequestedV1,
}
NOTIFIES: Mapping[str, type[msgspec.Struct]] = {ORDER_STATUS_CHANGED: OrderStatusChangedV1}

_ORDER: dict[str, Any] = {"orderId": FINISHED_ORDER["id"], "userId": FINISHED_ORDER["userId"]}
EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    ORDER_PLACED: {**_ORDER, "amount": Decimal("49.90"), "currency": "RUB"},
    ORDER_CANCELLATION_REQUESTED: _ORDER,
    ORDER_STATUS_CHANGED: {**_ORDER, "order": FINISHED_ORDER, "sequence": 2},
}
