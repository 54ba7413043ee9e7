"""What the payments service publishes."""

from uuid import UUID

import msgspec

from kernel.contracts.values import UserId


class PaymentCapturedV1(msgspec.Struct, frozen=True, rename="camel"):
    order_id: UUID
    user_id: UserId
    transaction_id: UUID


class PaymentDeclinedV1(msgspec.Struct, frozen=True, rename="camel"):
    order_id: UUID
    user_id: UserId
    reason: str


class PaymentRefundedV1(msgspec.Struct, frozen=True, rename="camel"):
    order_id: UUID
    user_id: UserId


class PaymentVoidedV1(msgspec.Struct, frozen=True, rename="camel"):
    order_id: UUID
    user_id: UserId
