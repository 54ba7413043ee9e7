"""What the orders service publishes."""

from uuid import UUID

import msgspec

from kernel.contracts.values import Amount, UserId


class OrderPlacedV1(msgspec.Struct, frozen=True, rename="camel"):
    order_id: UUID
    user_id: UserId
    amount: Amount
    currency: str


class OrderCancellationRequestedV1(msgspec.Struct, frozen=True, rename="camel"):
    order_id: UUID
    user_id: UserId
