"""The messages that the orders service publishes."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from kernel.contracts.http import Moment
from kernel.contracts.messaging import AboutOrder
from kernel.contracts.values import Amount
from orders.contract.examples import FINISHED_ORDER
from orders.contract.http import Order

ORDER_PLACED = "shop.orders.order-placed.v1"
ORDER_CANCELLATION_REQUESTED = "shop.orders.order-cancellation-requested.v1"
ORDER_STATUS_CHANGED = "shop.orders.order-status-changed.v1"


class OrderPlacedV1(AboutOrder, frozen=True, omit_defaults=True):
    amount: Amount
    currency: str
    pay_by: Moment | None = None


class OrderCancellationRequestedV1(AboutOrder, frozen=True):
    pass


class OrderStatusChangedV1(AboutOrder, frozen=True):
    """A notification of a change: `order` is the order right after the change with number `sequence` in its
    history. The first change has no notification, because OrderPlacedV1 tells it."""

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
