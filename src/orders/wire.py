"""Translates between the domain of orders and what is published: HTTP bodies and messages."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

import msgspec

from kernel.adapters.cloudevents import Decoders, Origin, decode_events, encode_event
from kernel.contracts.operators import CheckedRows, finding
from kernel.contracts.values import Amount, UserId
from kernel.domain.caller import Caller
from kernel.domain.events import Received, Unhandled
from kernel.domain.money import in_units
from orders.contract import http
from orders.contract.messages import (
    ORDER_CANCELLATION_REQUESTED,
    ORDER_PLACED,
    ORDER_STATUS_CHANGED,
    OrderCancellationRequestedV1,
    OrderPlacedV1,
    OrderStatusChangedV1,
)
from orders.domain.audit_run import AuditRun, RunState
from orders.domain.commands import CancelOrder, Placement
from orders.domain.events import (
    CancellationRequested,
    OrderPlaced,
    PaymentCaptured,
    PaymentDeclined,
    PaymentRefunded,
    PaymentRequest,
    PaymentResult,
    PaymentVoided,
)
from orders.domain.order import Order, OrderStatusChanged
from orders.domain.series import Step
from orders.domain.status import StatusChanged
from payments.contract.http import AdmissionRequest
from payments.contract.messages import (
    PAYMENT_CAPTURED,
    PAYMENT_DECLINED,
    PAYMENT_REFUNDED,
    PAYMENT_VOIDED,
    PaymentCapturedV1,
    PaymentDeclinedV1,
    PaymentRefundedV1,
    PaymentVoidedV1,
)

SOURCE = "/shop/orders"


def place_order(
    body: http.PlaceOrder, caller: Caller, key: str | None, order_id: UUID, traceparent: str, request_id: str
) -> Placement:
    caller = caller.vouching_for(body.user_id)
    return Placement(
        order_id=order_id,
        caller=caller,
        user_id=body.user_id,
        amount=body.amount.minor,
        description=body.description,
        idempotency_key=caller.scoped(key, body.user_id),
        pay_by=None if body.pay_by is None else body.pay_by.moment,
        traceparent=traceparent,
        request_id=request_id,
    )


def cancel_order(
    order: Order, caller: Caller, traceparent: str, request_id: str, note: str = ""
) -> CancelOrder:
    return CancelOrder(
        order_id=order.id,
        caller=caller,
        user_id=order.user_id,
        traceparent=traceparent,
        request_id=request_id,
        note=note,
    )


def order_body(order: Order, change: StatusChanged | None = None) -> http.Order:
    """The order as it is now, or as it was right after `change`."""
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
        pay_by=order.pay_by,
    )


def status_history_body(history: Sequence[Order]) -> list[http.OrderChange]:
    return [http.OrderChange(sequence, order_body(order)) for sequence, order in enumerate(history, 1)]


def history_body(changes: Sequence[StatusChanged]) -> list[http.StatusChange]:
    return [http.StatusChange(c.sequence, c.status.value, c.reason, c.at) for c in changes]


def series_body(steps: Sequence[Step]) -> list[http.SeriesStep]:
    return [
        http.SeriesStep(
            start=step.start,
            orders=step.orders,
            orders_per_second=round(step.per_second, 3),
            sampled=step.sampled,
            decided=step.decided,
            decided_p50_seconds=_rounded(step.p50_s),
            decided_p99_seconds=_rounded(step.p99_s),
            final=step.is_final,
        )
        for step in steps
    ]


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def audit_body(run: AuditRun, state: RunState) -> http.Audit:
    return http.Audit(
        http.AuditRun(
            number=run.number,
            id=run.id,
            state=state.value,
            detail=run.detail,
            operator=run.operator,
            through=run.through,
            began_at=run.began_at,
            ended_at=run.ended_at,
            phase=run.phase,
            done=run.done,
            total=run.total,
            checked=[CheckedRows(*one) for one in run.checked],
            fault_count=run.fault_count,
            faults=[finding(check, fault) for check, fault in run.faults],
        )
    )


def admission_request(command: Placement) -> AdmissionRequest:
    return AdmissionRequest(UserId(command.user_id), Amount(command.amount))


def encode(event: PaymentRequest | OrderStatusChanged, event_id: UUID, at: datetime) -> tuple[str, bytes]:
    event_type, data = _published(event)
    return event_type, encode_event(event, event_id, at, source=SOURCE, type=event_type, data=data)


def _published(event: PaymentRequest | OrderStatusChanged) -> tuple[str, msgspec.Struct]:
    order_id, user_id = event.order_id, UserId(event.user_id)
    match event:
        case OrderPlaced():
            amount = Amount(event.amount)
            placed = OrderPlacedV1(order_id, user_id, amount, event.currency, event.pay_by)
            return ORDER_PLACED, placed
        case CancellationRequested():
            return ORDER_CANCELLATION_REQUESTED, OrderCancellationRequestedV1(order_id, user_id)
        case OrderStatusChanged():
            order = order_body(event.order, event.change)
            return ORDER_STATUS_CHANGED, OrderStatusChangedV1(order_id, user_id, order, event.change.sequence)


def _result(
    kind: type[PaymentCaptured | PaymentRefunded | PaymentVoided],
    data: PaymentCapturedV1 | PaymentRefundedV1 | PaymentVoidedV1,
    origin: Origin,
) -> PaymentResult:
    return kind(order_id=data.order_id, user_id=data.user_id, **origin)


def _declined(data: PaymentDeclinedV1, origin: Origin) -> PaymentDeclined:
    return PaymentDeclined(order_id=data.order_id, user_id=data.user_id, reason=data.reason, **origin)


DECODERS: Decoders[PaymentResult] = {
    PAYMENT_CAPTURED: (PaymentCapturedV1, partial(_result, PaymentCaptured)),
    PAYMENT_DECLINED: (PaymentDeclinedV1, _declined),
    PAYMENT_REFUNDED: (PaymentRefundedV1, partial(_result, PaymentRefunded)),
    PAYMENT_VOIDED: (PaymentVoidedV1, partial(_result, PaymentVoided)),
}


def decode(body: bytes) -> Sequence[Received[PaymentResult] | Unhandled]:
    return decode_events(body, DECODERS)
