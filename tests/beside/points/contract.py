"""The messages that points publishes, and the part of payments' messages that it reads."""

from uuid import UUID

import msgspec

from kernel.contracts.values import UserId

POINTS_EARNED = "shop.points.points-earned.v1"
PAYMENT_CAPTURED = "shop.payments.payment-captured.v1"


class PointsEarnedV1(msgspec.Struct, frozen=True, rename="camel"):
    order_id: UUID
    user_id: UserId
    points: int


class PaymentCaptured(msgspec.Struct, frozen=True, rename="camel"):
    """Only the fields that this service needs; the others are ignored."""

    order_id: UUID
    user_id: UserId


class Points(msgspec.Struct, frozen=True, rename="camel"):
    user_id: UserId
    points: int
