"""What points publishes, and what it reads of the messages of payments."""

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
    """The fields that this service needs; it ignores the others."""

    order_id: UUID
    user_id: UserId


class Points(msgspec.Struct, frozen=True, rename="camel"):
    user_id: UserId
    points: int
