"""Finds the faults of an order from its stored values in both services. Work under way is no fault."""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from kernel.domain.faults import IN_FLIGHT_MAX, Fault, money, word
from kernel.domain.value import value
from orders.domain.order import CANCELLED_BY_USER
from orders.domain.status import Status

# The user id and the order id.
Key = tuple[str, UUID]


class Decision(StrEnum):
    """The decision of payments about an order, as a claim names it."""

    CAPTURED = "captured"
    DECLINED = "declined"
    VOIDED = "voided"
    REFUNDED = "refunded"
    """Captured and then refunded. The stored decision of payments stays `captured`."""


@value(kw_only=True)
class Ordered:
    """The values of an order, stored by the orders service. `status` is a text, as it may be wrong."""

    amount: int
    currency: str
    status: str
    reason: str | None
    created_at: datetime
    updated_at: datetime


@value(kw_only=True)
class Paid:
    """The decision and transfers of an order, stored by the payments service."""

    decision: str | None
    reason: str | None
    created_at: datetime | None
    amount: int | None
    currency: str | None
    refunded_at: datetime | None


@value(kw_only=True)
class OrderEvidence:
    """The stored values of an order in both services. `owner` is the user who has an order with this id.
    `waiting`: a message about the order is in an outbox or parked. `shop_runs`: both services are running, so
    no order may wait for long. `at_rest`: no work is under way, so no order may wait at all."""

    key: Key
    order: Ordered | None
    owner: str | None
    payment: Paid | None
    waiting: bool
    now: datetime
    shop_runs: bool
    at_rest: bool

    def overdue(self, since: datetime) -> bool:
        return self.at_rest or (self.shop_runs and self.now - since > IN_FLIGHT_MAX)


def find_faults(evidence: OrderEvidence) -> Iterator[Fault]:
    """The faults of one order: each difference between what orders and payments stored about it."""
    if evidence.order is None:
        yield from _decided_without_order(evidence)
        return
    yield from _status_faults(evidence, evidence.order)
    # Without a transfer there is no amount to compare. The checks of payments report a missing transfer.
    if evidence.payment is not None and evidence.payment.amount is not None:
        paid, ordered = evidence.payment, evidence.order
        if paid.amount != ordered.amount:
            expected = f"{money(ordered.amount)}, as the order"
            yield _fault(evidence, "amount_differs", f"paid {money(paid.amount)}", expected)
        if paid.currency != ordered.currency:
            expected = f"{ordered.currency}, as the order"
            yield _fault(evidence, "currency_differs", f"paid in {word(paid.currency)}", expected)


def _decided_without_order(evidence: OrderEvidence) -> Iterator[Fault]:
    if evidence.payment is None:
        return
    decision, user_id = _decision(evidence.payment), evidence.key[0]
    if evidence.owner is None:
        yield _fault(evidence, "order_missing", f"{decision}, no order", "an order")
    else:
        yield _fault(evidence, "user_differs", f"{decision} for {user_id}", f"{evidence.owner}, as the order")


def _status_faults(evidence: OrderEvidence, ordered: Ordered) -> Iterator[Fault]:
    status, decision, payment = ordered.status, _decision(evidence.payment), evidence.payment
    match status:
        case Status.NEW:
            answered_at = (payment.refunded_at or payment.created_at) if payment else None
            yield from _waiting_faults(evidence, ordered, ordered.created_at, answered_at)
        case Status.REFUNDING if decision in (Decision.CAPTURED, Decision.REFUNDED):
            refunded_at = payment.refunded_at if payment else None
            yield from _waiting_faults(evidence, ordered, ordered.updated_at, refunded_at)
        case Status.REFUNDING:
            yield _fault(evidence, "refunding_not_captured", f"{status}, {decision}", Decision.CAPTURED)
        case Status.FINISHED:
            if decision != Decision.CAPTURED:
                yield _fault(evidence, "finished_not_captured", f"{status}, {decision}", Decision.CAPTURED)
        case Status.REFUNDED:
            if decision != Decision.REFUNDED:
                yield _fault(evidence, "refunded_not_given_back", f"{status}, {decision}", Decision.REFUNDED)
        case Status.CANCELLED:
            yield from _cancelled_faults(evidence, ordered, decision)
        case _:
            yield _fault(evidence, "status_unknown", status, "a status of the contract")


def _waiting_faults(
    evidence: OrderEvidence, ordered: Ordered, asked_at: datetime, answered_at: datetime | None
) -> Iterator[Fault]:
    """The faults of an order that waits for payments to decide, or for the decision to arrive."""
    since = answered_at or asked_at
    if evidence.overdue(since) and not evidence.waiting:
        status = ordered.status
        kind = f"order_still_{status.lower()}" if answered_at else "order_forgotten"
        found = f"{status}, {_decision(evidence.payment)} since {since:%Y-%m-%dT%H:%M:%SZ}"
        yield _fault(evidence, kind, found, "settled")


def _cancelled_faults(evidence: OrderEvidence, ordered: Ordered, decision: str) -> Iterator[Fault]:
    if decision not in (Decision.DECLINED, Decision.VOIDED) or evidence.payment is None:
        expected = f"{Decision.DECLINED} or {Decision.VOIDED}"
        yield _fault(evidence, "cancelled_not_declined", f"CANCELLED, {decision}", expected)
        return
    reason = CANCELLED_BY_USER if decision == Decision.VOIDED else evidence.payment.reason
    if ordered.reason != reason:
        found = f"CANCELLED, {word(ordered.reason)}"
        yield _fault(evidence, "reason_differs", found, f"{word(reason)}, as {decision}")


def _fault(evidence: OrderEvidence, kind: str, found: str, expected: str) -> Fault:
    user_id, order_id = evidence.key
    return Fault(f"order {order_id} of {user_id}", kind, found, expected)


def _decision(payment: Paid | None) -> str:
    """Names the decision. A transfer without a stored decision counts as captured; other checks report it."""
    if payment is None:
        return "not decided"
    return Decision.REFUNDED if payment.refunded_at else str(payment.decision or Decision.CAPTURED)
