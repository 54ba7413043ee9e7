"""What the orders service publishes."""

from uuid import UUID

import msgspec

from kernel.contracts.http import Order
from kernel.contracts.values import Amount, UserId


class OrderPlacedV1(msgspec.Struct, frozen=True, rename="camel"):
    order_id: UUID
    user_id: UserId
    amount: Amount
    currency: str


class OrderCancellationRequestedV1(msgspec.Struct, frozen=True, rename="camel"):
    order_id: UUID
    user_id: UserId


class OrderStatusChangedV1(msgspec.Struct, frozen=True, rename="camel"):
    """A notification: the order as it was right after the change that has this number in its history.

    There is none of the first change, which OrderPlacedV1 tells.
    """

    order_id: UUID
    user_id: UserId
    order: Order
    sequence: int
