"""Between the domain of orders and what is published: HTTP bodies and messages."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from kernel.adapters.cloudevents import Origin, decode_events, encode_event
from kernel.contracts import catalog, http
from kernel.contracts.orders import OrderCancellationRequestedV1, OrderPlacedV1, OrderStatusChangedV1
from kernel.contracts.payments import (
    PaymentCapturedV1,
    PaymentDeclinedV1,
    PaymentRefundedV1,
    PaymentVoidedV1,
)
from kernel.contracts.values import Amount, UserId
from kernel.domain.events import Received, Unhandled
from kernel.domain.money import in_units
from orders.domain.events import (
    CancellationRequested,
    OrderPlaced,
    PaymentCaptured,
    PaymentDecided,
    PaymentDeclined,
    PaymentRefunded,
    PaymentVoided,
    Question,
)
from orders.domain.order import Order, OrderStatusChanged, PlaceOrder, StatusChanged

SOURCE = "/shop/orders"


def place_order(
    body: http.PlaceOrder, key: str | None, order_id: UUID, traceparent: str, request_id: str
) -> PlaceOrder:
    return PlaceOrder(
        order_id=order_id,
        user_id=body.user_id,
        amount=body.amount.minor,
        description=body.description,
        idempotency_key=key,
        traceparent=traceparent,
        request_id=request_id,
    )


def order_body(order: Order, change: StatusChanged | None = None) -> http.Order:
    """The order as it is, or as it was right after this change."""
    return http.Order(
        id=order.id,
        user_id=order.user_id,
        amount=in_units(order.amount),
        currency=order.currency,
        description=order.description,
        status=(change or order).status.value,
        reason=(change or order).reason,
        created_at=order.created_at,
        updated_at=change.at if change else order.updated_at,
    )


def life_body(life: Sequence[Order]) -> list[http.OrderChange]:
    return [http.OrderChange(sequence, order_body(order)) for sequence, order in enumerate(life, 1)]


def history_body(changes: Sequence[StatusChanged]) -> list[http.StatusChange]:
    return [http.StatusChange(c.sequence, c.status.value, c.reason, c.at) for c in changes]


def admission_question(command: PlaceOrder) -> http.AdmissionRequest:
    return http.AdmissionRequest(UserId(command.user_id), Amount(command.amount))


def encode(event: Question | OrderStatusChanged, event_id: UUID, at: datetime) -> tuple[str, bytes]:
    event_type, data = _published(event)
    return event_type, encode_event(event, event_id, at, source=SOURCE, type=event_type, data=data)


def _published(event: Question | OrderStatusChanged) -> tuple[str, msgspec.Struct]:
    order_id, user_id = event.order_id, UserId(event.user_id)
    match event:
        case OrderPlaced():
            amount = Amount(event.amount)
            return catalog.ORDER_PLACED, OrderPlacedV1(order_id, user_id, amount, event.currency)
        case CancellationRequested():
            data = OrderCancellationRequestedV1(order_id, user_id)
            return catalog.ORDER_CANCELLATION_REQUESTED, data
        case OrderStatusChanged():
            order = order_body(event.order, event.change)
            return catalog.ORDER_STATUS_CHANGED, OrderStatusChangedV1(
                order_id, user_id, order, event.change.sequence
            )


def _captured(data: PaymentCapturedV1, origin: Origin) -> PaymentCaptured:
    return PaymentCaptured(order_id=data.order_id, user_id=data.user_id, **origin)


def _declined(data: PaymentDeclinedV1, origin: Origin) -> PaymentDeclined:
    return PaymentDeclined(order_id=data.order_id, user_id=data.user_id, reason=data.reason, **origin)


def _refunded(data: PaymentRefundedV1, origin: Origin) -> PaymentRefunded:
    return PaymentRefunded(order_id=data.order_id, user_id=data.user_id, **origin)


def _voided(data: PaymentVoidedV1, origin: Origin) -> PaymentVoided:
    return PaymentVoided(order_id=data.order_id, user_id=data.user_id, **origin)


FACTS: Mapping[str, Callable[[Any, Origin], PaymentDecided]] = {
    catalog.PAYMENT_CAPTURED: _captured,
    catalog.PAYMENT_DECLINED: _declined,
    catalog.PAYMENT_REFUNDED: _refunded,
    catalog.PAYMENT_VOIDED: _voided,
}


def decode(body: bytes) -> Sequence[Received[PaymentDecided] | Unhandled]:
    return decode_events(body, FACTS)
