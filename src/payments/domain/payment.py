"""What was decided about the payment of an order, for ever, and how."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from kernel.domain.value import value
from payments.domain.account import Account, Reason
from payments.domain.events import (
    CancellationRequested,
    OrderPlaced,
    PaymentCaptured,
    PaymentDeclined,
    PaymentRefunded,
    PaymentRequest,
    PaymentResult,
    PaymentVoided,
)
from payments.domain.transfer import Transfer


class Decision(StrEnum):
    CAPTURED = "captured"
    DECLINED = "declined"
    VOIDED = "voided"


@value(kw_only=True)
class Payment:
    """A refund leaves it as it is: that is a transfer of its own, at most one an order."""

    user_id: str
    order_id: UUID
    decision: Decision
    reason: str | None = None
    transfer_id: UUID | None = None
    created_at: datetime

    def decided(self, request: PaymentRequest, *, refunded: bool) -> PaymentResult:
        """The result for every request about this order."""
        about: dict[str, Any] = {
            "order_id": self.order_id,
            "user_id": self.user_id,
            "traceparent": request.traceparent,
            "request_id": request.request_id,
            "idempotency_key": request.idempotency_key,
        }
        if refunded:
            return PaymentRefunded(**about)
        if self.transfer_id is not None:
            return PaymentCaptured(**about, transfer_id=self.transfer_id)
        if self.decision is Decision.VOIDED:
            return PaymentVoided(**about)
        return PaymentDeclined(**about, reason=self.reason or "")


def decide(
    request: PaymentRequest, account: Account | None, transfer_id: UUID, now: datetime
) -> tuple[Payment, Transfer | None]:
    """Pay the order from the account, or say why not; an order that is cancelled first is never paid."""
    about: dict[str, Any] = {"user_id": request.user_id, "order_id": request.order_id, "created_at": now}
    match request:
        case CancellationRequested():
            return Payment(**about, decision=Decision.VOIDED), None
        case OrderPlaced():
            charged = _charge(request, account, transfer_id, now)
            if isinstance(charged, Transfer):
                return Payment(**about, decision=Decision.CAPTURED, transfer_id=charged.id), charged
            return Payment(**about, decision=Decision.DECLINED, reason=charged), None


def _charge(
    placed: OrderPlaced, account: Account | None, transfer_id: UUID, now: datetime
) -> Transfer | Reason | None:
    if placed.pay_by is not None and now > placed.pay_by:
        return Reason.EXPIRED
    if account is None:
        return Reason.ACCOUNT_NOT_FOUND
    return account.charge(placed, transfer_id, now)
