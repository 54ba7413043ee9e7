"""Translates between the domain of orders and the published HTTP bodies and messages."""

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
from orders.contract import http, messages
from orders.domain import events
from orders.domain.audit_run import AuditRun, RunState
from orders.domain.commands import CancelOrder, Placement
from orders.domain.order import Order, OrderStatusChanged
from orders.domain.series import Step
from orders.domain.status import StatusChanged
from payments.contract import messages as of_payments
from payments.contract.http import AdmissionRequest

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


def encode(
    event: events.PaymentRequest | OrderStatusChanged, event_id: UUID, at: datetime
) -> tuple[str, bytes]:
    event_type, data = _published(event)
    return event_type, encode_event(event, event_id, at, source=SOURCE, type=event_type, data=data)


def _published(event: events.PaymentRequest | OrderStatusChanged) -> tuple[str, msgspec.Struct]:
    order_id, user_id = event.order_id, UserId(event.user_id)
    match event:
        case events.OrderPlaced():
            amount = Amount(event.amount)
            placed = messages.OrderPlacedV1(order_id, user_id, amount, event.currency, event.pay_by)
            return messages.ORDER_PLACED, placed
        case events.CancellationRequested():
            requested = messages.OrderCancellationRequestedV1(order_id, user_id)
            return messages.ORDER_CANCELLATION_REQUESTED, requested
        case OrderStatusChanged():
            order = order_body(event.order, event.change)
            changed = messages.OrderStatusChangedV1(order_id, user_id, order, event.change.sequence)
            return messages.ORDER_STATUS_CHANGED, changed


def _result(
    kind: type[events.PaymentCaptured | events.PaymentRefunded | events.PaymentVoided],
    data: of_payments.PaymentCapturedV1 | of_payments.PaymentRefundedV1 | of_payments.PaymentVoidedV1,
    origin: Origin,
) -> events.PaymentResult:
    return kind(order_id=data.order_id, user_id=data.user_id, **origin)


def _declined(data: of_payments.PaymentDeclinedV1, origin: Origin) -> events.PaymentDeclined:
    return events.PaymentDeclined(order_id=data.order_id, user_id=data.user_id, reason=data.reason, **origin)


DECODERS: Decoders[events.PaymentResult] = {
    of_payments.PAYMENT_CAPTURED: (of_payments.PaymentCapturedV1, partial(_result, events.PaymentCaptured)),
    of_payments.PAYMENT_DECLINED: (of_payments.PaymentDeclinedV1, _declined),
    of_payments.PAYMENT_REFUNDED: (of_payments.PaymentRefundedV1, partial(_result, events.PaymentRefunded)),
    of_payments.PAYMENT_VOIDED: (of_payments.PaymentVoidedV1, partial(_result, events.PaymentVoided)),
}


def decode(body: bytes) -> Sequence[Received[events.PaymentResult] | Unhandled]:
    return decode_events(body, DECODERS)
