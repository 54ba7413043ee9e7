"""Every published type of event. A new version is a new row; a row never goes."""

from dataclasses import dataclass

import msgspec

from kernel.contracts.orders import OrderCancellationRequestedV1, OrderPlacedV1, OrderStatusChangedV1
from kernel.contracts.payments import (
    PaymentCapturedV1,
    PaymentDeclinedV1,
    PaymentRefundedV1,
    PaymentVoidedV1,
)

ORDER_PLACED = "shop.orders.order-placed.v1"
ORDER_CANCELLATION_REQUESTED = "shop.orders.order-cancellation-requested.v1"
ORDER_STATUS_CHANGED = "shop.orders.order-status-changed.v1"
PAYMENT_CAPTURED = "shop.payments.payment-captured.v1"
PAYMENT_DECLINED = "shop.payments.payment-declined.v1"
PAYMENT_REFUNDED = "shop.payments.payment-refunded.v1"
PAYMENT_VOIDED = "shop.payments.payment-voided.v1"


@dataclass(frozen=True, slots=True)
class MessageType:
    """`consumer` is the service whose queue must receive it; a notification has none and may be lost."""

    struct: type[msgspec.Struct]
    publisher: str
    consumer: str | None


CATALOG = {
    ORDER_PLACED: MessageType(OrderPlacedV1, publisher="orders", consumer="payments"),
    ORDER_CANCELLATION_REQUESTED: MessageType(
        OrderCancellationRequestedV1, publisher="orders", consumer="payments"
    ),
    ORDER_STATUS_CHANGED: MessageType(OrderStatusChangedV1, publisher="orders", consumer=None),
    PAYMENT_CAPTURED: MessageType(PaymentCapturedV1, publisher="payments", consumer="orders"),
    PAYMENT_DECLINED: MessageType(PaymentDeclinedV1, publisher="payments", consumer="orders"),
    PAYMENT_REFUNDED: MessageType(PaymentRefundedV1, publisher="payments", consumer="orders"),
    PAYMENT_VOIDED: MessageType(PaymentVoidedV1, publisher="payments", consumer="orders"),
}


def published_by(service: str) -> list[str]:
    """What some service's queue must receive."""
    return [name for name, message in CATALOG.items() if message.publisher == service and message.consumer]


def notified_by(service: str) -> list[str]:
    return [
        name for name, message in CATALOG.items() if message.publisher == service and not message.consumer
    ]


def consumed_by(service: str) -> list[str]:
    return [name for name, message in CATALOG.items() if message.consumer == service]
