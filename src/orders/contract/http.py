"""The bodies of the routes of orders."""

from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from kernel.contracts.http import IdempotencyKey, Moment, Problem, RequestBody, ResponseBody
from kernel.contracts.values import Amount, UserId

# A text of PostgreSQL cannot hold U+0000.
Description = Annotated[
    str,
    Meta(
        max_length=500,
        pattern=r"\A[^\x00]*\Z",
        description="Free text, without U+0000.",
        extra={"words": "a string of at most 500 characters, without U+0000"},
    ),
]
OrderStatus = Literal["NEW", "FINISHED", "CANCELLED", "REFUNDING", "REFUNDED"]


class PlaceOrder(RequestBody, frozen=True):
    user_id: UserId
    amount: Amount
    description: Description = ""


class PlaceOrderItem(PlaceOrder, frozen=True):
    idempotency_key: IdempotencyKey | None = None


class Order(ResponseBody, frozen=True):
    id: UUID
    user_id: str
    amount: Decimal
    currency: str
    description: str
    status: OrderStatus
    reason: str | None
    created_at: Moment
    updated_at: Moment


class StatusChange(ResponseBody, frozen=True):
    """A line of an order's history, numbered from 1."""

    sequence: int
    status: OrderStatus
    reason: str | None
    at: Moment


class OrderChange(ResponseBody, frozen=True):
    """The order as it was right after the change that has this number in its history."""

    sequence: int
    order: Order


class PlacedItem(ResponseBody, frozen=True):
    """The fate of one order of a batch: what the single route would have answered."""

    status: int
    order: Order
    replayed: bool = False


class RefusedItem(ResponseBody, frozen=True):
    status: int
    problem: Problem


BatchOutcome = PlacedItem | RefusedItem
