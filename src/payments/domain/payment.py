"""What was decided about the payment of an order, for ever, and how."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from kernel.domain.errors import Refused
from kernel.domain.value import value
from payments.domain.account import Account, Transfer
from payments.domain.events import (
    CancellationRequested,
    OrderPlaced,
    PaymentCaptured,
    PaymentDecided,
    PaymentDeclined,
    PaymentRefunded,
    PaymentVoided,
    Question,
)


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
    reason: str | None
    transfer_id: UUID | None
    created_at: datetime

    def decided(self, question: Question, *, refunded: bool) -> PaymentDecided:
        """The answer to every question about this order."""
        about: dict[str, Any] = {
            "order_id": self.order_id,
            "user_id": self.user_id,
            "traceparent": question.traceparent,
            "request_id": question.request_id,
            "idempotency_key": question.idempotency_key,
        }
        if refunded:
            return PaymentRefunded(**about)
        if self.transfer_id is not None:
            return PaymentCaptured(**about, transfer_id=self.transfer_id)
        if self.decision is Decision.VOIDED:
            return PaymentVoided(**about)
        return PaymentDeclined(**about, reason=self.reason or "")


def decide(
    question: Question, account: Account | None, transfer_id: UUID, now: datetime
) -> tuple[Payment, Transfer | None]:
    """Pay the order from the account, or say why not; an order that is cancelled first is never paid."""
    match question:
        case CancellationRequested():
            return _payment(question, Decision.VOIDED, now), None
        case OrderPlaced() if account is None:
            return _payment(question, Decision.DECLINED, now, reason="account_not_found"), None
        case OrderPlaced():
            charged = account.charge(question, transfer_id, now)
            if isinstance(charged, Refused):
                return _payment(question, Decision.DECLINED, now, reason=charged.code), None
            return _payment(question, Decision.CAPTURED, now, transfer_id=charged.id), charged


def _payment(
    question: Question,
    decision: Decision,
    now: datetime,
    *,
    reason: str | None = None,
    transfer_id: UUID | None = None,
) -> Payment:
    return Payment(
        user_id=question.user_id,
        order_id=question.order_id,
        decision=decision,
        reason=reason,
        transfer_id=transfer_id,
        created_at=now,
    )
