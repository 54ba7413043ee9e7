"""The bodies of the HTTP routes, the same at the gateway and at the service behind it."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

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
IdempotencyKey = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=255,
        pattern=r"\A[\x20-\x7e]*\Z",
        description="Printable ASCII.",
        extra={"words": "a string of 1 to 255 printable ASCII characters"},
    ),
]
Moment = Annotated[datetime, Meta(tz=True)]
OrderStatus = Literal["NEW", "FINISHED", "CANCELLED", "REFUNDING", "REFUNDED"]
TransactionKind = Literal["deposit", "capture", "refund"]


class Request(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    pass


class Answer(msgspec.Struct, frozen=True, rename="camel"):
    pass


class OpenAccount(Request, frozen=True):
    user_id: UserId


class Deposit(Request, frozen=True):
    amount: Amount


class Account(Answer, frozen=True):
    user_id: str
    balance: Decimal
    currency: str
    created_at: Moment


class Deposited(Answer, frozen=True):
    """`balance` is the balance right after this deposit."""

    user_id: str
    balance: Decimal
    currency: str
    created_at: Moment
    transaction_id: UUID


class Transaction(Answer, frozen=True, kw_only=True, omit_defaults=True):
    """A line of a statement. `amount` is below 0 where it was taken from the account."""

    id: UUID
    sequence: int
    kind: TransactionKind
    amount: Decimal
    balance_after: Decimal
    order_id: UUID | None = None
    created_at: Moment


class AdmissionRequest(Request, frozen=True):
    user_id: UserId
    amount: Amount


class PlaceOrder(Request, frozen=True):
    user_id: UserId
    amount: Amount
    description: Description = ""


class PlaceOrderItem(PlaceOrder, frozen=True):
    idempotency_key: IdempotencyKey | None = None


class Order(Answer, frozen=True):
    id: UUID
    user_id: str
    amount: Decimal
    currency: str
    description: str
    status: OrderStatus
    reason: str | None
    created_at: Moment
    updated_at: Moment


class StatusChange(Answer, frozen=True):
    """A line of an order's history, numbered from 1."""

    sequence: int
    status: OrderStatus
    reason: str | None
    at: Moment


class OrderChange(Answer, frozen=True):
    """The order as it was right after the change that has this number in its history."""

    sequence: int
    order: Order


class StatusEvent(Answer, frozen=True):
    """One event of an order's stream: `id` is the number of the change in the order's history, `data` the
    order as it was right after it. (For the documents: OpenAPI 3.1 has no word for the stream itself.)"""

    event: Literal["status"]
    id: Annotated[str, Meta(pattern="^[1-9][0-9]*$")]
    data: Annotated[
        str,
        Meta(
            extra_json_schema={
                "contentMediaType": "application/json",
                "contentSchema": {"$ref": "#/components/schemas/Order"},
            }
        ),
    ]


class FieldProblem(Answer, frozen=True):
    field: str
    message: str


class Problem(Answer, frozen=True, omit_defaults=True):
    """RFC 9457, with a stable machine word in `code` and the fields that are to blame in `errors`."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    errors: list[FieldProblem] = []


class PlacedItem(Answer, frozen=True):
    """The fate of one order of a batch: what the single route would have answered."""

    status: int
    order: Order
    replayed: bool = False


class RefusedItem(Answer, frozen=True):
    status: int
    problem: Problem


BatchOutcome = PlacedItem | RefusedItem


class Health(Answer, frozen=True):
    """`degraded` names what refuses or delays work, which makes the shop late, not wrong: `database`,
    `rabbitmq` (what was committed is not published, or what arrives is not handled), `orders`, `payments`."""

    status: Literal["live", "ready"]
    degraded: list[str] = []
