"""The decision about the payment of an order, and the rule for it. A decision never changes."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from kernel.domain.value import value
from payments.domain import events
from payments.domain.account import Account, Reason
from payments.domain.transfer import Transfer


class Decision(StrEnum):
    CAPTURED = "captured"
    DECLINED = "declined"
    VOIDED = "voided"


@value(kw_only=True)
class Payment:
    """The decision about an order. A refund does not change it: the refund is a transfer."""

    user_id: str
    order_id: UUID
    decision: Decision
    reason: str | None = None
    transfer_id: UUID | None = None
    created_at: datetime

    def decided(self, request: events.PaymentRequest, *, refunded: bool) -> events.PaymentResult:
        """The answer to a request about this order, which may be a repeated request."""
        about: dict[str, Any] = {
            "order_id": self.order_id,
            "user_id": self.user_id,
            "traceparent": request.traceparent,
            "request_id": request.request_id,
            "idempotency_key": request.idempotency_key,
        }
        if refunded:
            return events.PaymentRefunded(**about)
        if self.transfer_id is not None:
            return events.PaymentCaptured(**about, transfer_id=self.transfer_id)
        if self.decision is Decision.VOIDED:
            return events.PaymentVoided(**about)
        return events.PaymentDeclined(**about, reason=self.reason or "")


def decide(
    request: events.PaymentRequest, account: Account | None, transfer_id: UUID, now: datetime
) -> tuple[Payment, Transfer | None]:
    """Decides an order: captured with its transfer, declined, or voided if the cancellation came first."""
    about: dict[str, Any] = {"user_id": request.user_id, "order_id": request.order_id, "created_at": now}
    match request:
        case events.CancellationRequested():
            return Payment(**about, decision=Decision.VOIDED), None
        case events.OrderPlaced():
            charged = _charge(request, account, transfer_id, now)
            if isinstance(charged, Transfer):
                return Payment(**about, decision=Decision.CAPTURED, transfer_id=charged.id), charged
            return Payment(**about, decision=Decision.DECLINED, reason=charged), None


def _charge(
    placed: events.OrderPlaced, account: Account | None, transfer_id: UUID, now: datetime
) -> Transfer | Reason | None:
    if placed.pay_by is not None and now > placed.pay_by:
        return Reason.EXPIRED
    if account is None:
        return Reason.ACCOUNT_NOT_FOUND
    return account.charge(placed, transfer_id, now)
