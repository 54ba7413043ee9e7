"""The messages that the payments service publishes."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from kernel.contracts.messaging import AboutOrder
from payments.contract.examples import TRANSACTIONS

PAYMENT_CAPTURED = "shop.payments.payment-captured.v1"
PAYMENT_DECLINED = "shop.payments.payment-declined.v1"
PAYMENT_REFUNDED = "shop.payments.payment-refunded.v1"
PAYMENT_VOIDED = "shop.payments.payment-voided.v1"


class PaymentCapturedV1(AboutOrder, frozen=True):
    transaction_id: UUID


class PaymentDeclinedV1(AboutOrder, frozen=True):
    reason: str


class PaymentRefundedV1(AboutOrder, frozen=True):
    pass


class PaymentVoidedV1(AboutOrder, frozen=True):
    pass


PUBLISHES: Mapping[str, type[msgspec.Struct]] = {
    PAYMENT_CAPTURED: PaymentCapturedV1,
    PAYMENT_DECLINED: PaymentDeclinedV1,
    PAYMENT_REFUNDED: PaymentRefundedV1,
    PAYMENT_VOIDED: PaymentVoidedV1,
}

_CAPTURE = TRANSACTIONS[0]
_ORDER: dict[str, Any] = {"orderId": _CAPTURE["orderId"], "userId": "alice"}
EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    PAYMENT_CAPTURED: {**_ORDER, "transactionId": _CAPTURE["id"]},
    PAYMENT_DECLINED: {**_ORDER, "reason": "insufficient_funds"},
    PAYMENT_REFUNDED: _ORDER,
    PAYMENT_VOIDED: _ORDER,
}
