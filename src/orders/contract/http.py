"""The bodies of the routes of orders."""

from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from kernel.contracts.http import IdempotencyKey, Moment, Problem, RequestBody, ResponseBody
from kernel.contracts.operators import CheckedRows, Finding
from kernel.contracts.values import Amount, Instant, UserId

# PostgreSQL cannot store U+0000 in a text.
Description = Annotated[
    str,
    Meta(
        max_length=500,
        pattern=r"\A[^\x00]*\Z",
        description="Free text, without U+0000.",
        extra={"words": "a string of at most 500 characters, without U+0000"},
    ),
]
_PAY_BY = Meta(description="Payments declines an order that it handles after this time, as `expired`.")
OrderStatus = Literal["NEW", "FINISHED", "CANCELLED", "REFUNDING", "REFUNDED"]


class PlaceOrder(RequestBody, frozen=True, omit_defaults=True):
    user_id: UserId
    amount: Amount
    description: Description = ""
    pay_by: Annotated[Instant, _PAY_BY] | None = None


class PlaceOrderItem(PlaceOrder, frozen=True, omit_defaults=True):
    idempotency_key: IdempotencyKey | None = None


class Order(ResponseBody, frozen=True, omit_defaults=True):
    id: UUID
    user_id: str
    amount: Decimal
    currency: str
    description: str
    status: OrderStatus
    reason: str | None
    created_at: Moment
    updated_at: Moment
    pay_by: Annotated[Moment, _PAY_BY] | None = None


class StatusChange(ResponseBody, frozen=True):
    """A line of an order's history. `sequence` counts from 1."""

    sequence: int
    status: OrderStatus
    reason: str | None
    at: Moment


class OrderChange(ResponseBody, frozen=True):
    """`order` is the order right after the change with number `sequence` in its history."""

    sequence: int
    order: Order


class SeriesStep(ResponseBody, frozen=True):
    """The orders that were placed in the 15 seconds from `start` on. At most 2,000 of
    them are `sampled`; `decided` of the sampled orders have a decision. `decidedP50Seconds` and
    `decidedP99Seconds` are the times from order to decision, null if `decided` is 0. A `final` step no longer
    changes: it leaves out decisions made more than 10 s after its end."""

    start: Moment
    orders: int
    orders_per_second: float
    sampled: int
    decided: int
    decided_p50_seconds: float | None
    decided_p99_seconds: float | None
    final: bool


class AuditRun(ResponseBody, frozen=True, kw_only=True):
    """A run of the audit. `state`: `running`, `sound`, `unsound`, `failed` (a check could not be finished;
    `detail` says why), or `died` (its process ended; begin another run). `phase` is the current check, with
    `done` of `total` rows. `faults` are the first 100 of `faultCount`."""

    number: int
    id: UUID
    state: Literal["running", "sound", "unsound", "failed", "died"]
    detail: str
    operator: str
    through: str
    began_at: Moment
    ended_at: Moment | None
    phase: str
    done: int
    total: int
    checked: list[CheckedRows]
    fault_count: int
    faults: list[Finding]


class Audit(ResponseBody, frozen=True):
    """`run` is the latest run; null if no run was ever begun."""

    run: AuditRun | None


class PlacedItem(ResponseBody, frozen=True):
    """The outcome of one order of a batch: the answer of the route that takes one order."""

    status: int
    order: Order
    replayed: bool = False


class RefusedItem(ResponseBody, frozen=True):
    status: int
    problem: Problem


BatchOutcome = PlacedItem | RefusedItem
