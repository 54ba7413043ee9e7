"""The status history of an order: placed once, decided once, cancelled or refunded at most once."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from kernel.domain.caller import ANYONE
from kernel.domain.errors import Conflict, Refused
from orders import wire
from orders.domain.commands import Placement
from orders.domain.events import (
    CancellationRequested,
    OrderPlaced,
    PaymentCaptured,
    PaymentDeclined,
    PaymentRefunded,
    PaymentResult,
    PaymentVoided,
)
from orders.domain.order import Cancelled, Order, Placed
from orders.domain.placing import outcome
from orders.domain.status import Status, StatusChanged
from tests.builders import TRACE
from tests.unit.clock import START, id_of

LATER = START + timedelta(seconds=1)

PLACE = Placement(
    order_id=id_of(1),
    caller=ANYONE,
    user_id="alice",
    amount=1000,
    description="a book",
    idempotency_key="k",
    traceparent=TRACE,
)
CAPTURED = PaymentCaptured(order_id=id_of(1), user_id="alice", traceparent=TRACE)
DECLINED = PaymentDeclined(order_id=id_of(1), user_id="alice", traceparent=TRACE, reason="insufficient_funds")
REFUNDED = PaymentRefunded(order_id=id_of(1), user_id="alice", traceparent=TRACE)
VOIDED = PaymentVoided(order_id=id_of(1), user_id="alice", traceparent=TRACE)
REQUEST = CancellationRequested(order_id=id_of(1), user_id="alice", traceparent=TRACE, idempotency_key="k")
REASONS = ("insufficient_funds", "account_not_found", "currency_mismatch")


def placed() -> Order:
    return Order.place(PLACE, "RUB", START)


def decided(*decisions: PaymentResult) -> Order:
    order = placed()
    for decision in decisions:
        order.settle(decision, START)
    return order


def changed(sequence: int, status: Status, reason: str | None, at: object = LATER) -> StatusChanged:
    return StatusChanged(
        user_id="alice", order_id=id_of(1), sequence=sequence, status=status, reason=reason, at=at
    )  # type: ignore[arg-type]


def test_a_placed_order_is_new_and_its_history_begins() -> None:
    order = placed()
    assert (order.status, order.reason) == (Status.NEW, None)
    assert (order.created_at, order.updated_at) == (START, START)
    assert order.status_changed() == changed(1, Status.NEW, None, START)


def test_an_order_asks_for_its_payment_until_the_time_that_its_client_gave_or_by_default() -> None:
    given, within = START + timedelta(hours=1), timedelta(minutes=15)
    wish = replace(PLACE, pay_by=given)
    for order, pay_by in (
        (placed(), None),
        (Order.place(PLACE, "RUB", START, within), START + within),
        (Order.place(wish, "RUB", START), given),
        (Order.place(wish, "RUB", START, within), given),
    ):
        first, repeated = order.placed(TRACE), order.ask_again(TRACE, LATER)
        assert isinstance(repeated, OrderPlaced)
        assert first.pay_by == repeated.pay_by == order.pay_by == pay_by


def test_events_of_an_order_name_the_call_and_the_key_behind_them() -> None:
    order = placed()
    placed_event = order.placed(TRACE, "call-1")
    assert (placed_event.request_id, placed_event.idempotency_key) == ("call-1", "k")
    order.settle(CAPTURED, LATER)
    cancelled = order.cancel(TRACE, LATER, "call-2")
    assert isinstance(cancelled, Cancelled)
    events = [*cancelled.events, *cancelled.notifications]
    assert [(event.request_id, event.idempotency_key) for event in events] == [("call-2", "k")] * 2


@pytest.mark.parametrize(
    ("decision", "status", "reason"),
    [
        (CAPTURED, Status.FINISHED, None),
        *((replace(DECLINED, reason=reason), Status.CANCELLED, reason) for reason in REASONS),
    ],
)
def test_a_decision_finishes_the_order_or_cancels_it_with_the_reason(
    decision: PaymentResult, status: Status, reason: str | None
) -> None:
    order = placed()
    assert order.settle(decision, LATER) == [changed(2, status, reason)]
    assert (order.status, order.reason, order.updated_at) == (status, reason, LATER)
    assert order.created_at == START


def cancelling(order: Order) -> Order:
    """The order, whose cancellation was requested at the start."""
    assert isinstance(order.cancel(TRACE, START), Cancelled)
    return order


def test_a_new_order_whose_cancellation_is_wanted_stays_new_and_payments_is_asked() -> None:
    order = placed()
    before = replace(order)
    assert order.cancel(TRACE, LATER) == Cancelled(
        order=order, changes=[], events=[REQUEST], notifications=[]
    )
    asked_at = LATER + timedelta(seconds=5)
    assert order == replace(before, cancel_requested_at=LATER, ask_again_at=asked_at)


def test_a_finished_order_whose_cancellation_is_wanted_gets_refunded_and_payments_is_asked() -> None:
    order = decided(CAPTURED)
    changes = [changed(3, Status.REFUNDING, None)]
    cancelled = order.cancel(TRACE, LATER)
    notifications = order.notifications(changes, TRACE)
    assert cancelled == Cancelled(order=order, changes=changes, events=[REQUEST], notifications=notifications)
    assert (order.status, order.updated_at) == (Status.REFUNDING, LATER)
    assert order.ask_again_at == LATER + timedelta(seconds=5)


@pytest.mark.parametrize("order", [placed(), decided(CAPTURED)], ids=["new", "finished"])
def test_a_cancellation_that_is_wanted_again_asks_nothing_again(order: Order) -> None:
    cancelling(order)
    before = replace(order)
    assert order.cancel(TRACE, LATER) == Cancelled(order=order)
    assert order == before


@pytest.mark.parametrize(
    ("last", "code"),
    [(DECLINED, "order_cancelled"), (VOIDED, "order_cancelled"), (REFUNDED, "order_refunded")],
    ids=["declined", "voided", "refunded"],
)
def test_it_is_too_late_to_cancel_a_cancelled_or_refunded_order(last: PaymentResult, code: str) -> None:
    order = decided(last)
    before = replace(order)
    refusal = order.cancel(TRACE, LATER)
    assert isinstance(refusal, Conflict)
    assert (refusal.code, order) == (code, before)


TO_ITS_REFUND = [
    changed(2, Status.FINISHED, None),
    changed(3, Status.REFUNDING, None),
    changed(4, Status.REFUNDED, None),
]


@pytest.mark.parametrize(
    ("order", "decision", "changes"),
    [
        (cancelling(placed()), VOIDED, [changed(2, Status.CANCELLED, "cancelled_by_user")]),
        (cancelling(placed()), DECLINED, [changed(2, Status.CANCELLED, "insufficient_funds")]),
        (cancelling(placed()), CAPTURED, TO_ITS_REFUND[:2]),
        (cancelling(placed()), REFUNDED, TO_ITS_REFUND),
        (decided(CAPTURED), REFUNDED, TO_ITS_REFUND[1:]),
        (cancelling(decided(CAPTURED)), REFUNDED, TO_ITS_REFUND[2:]),
    ],
)
def test_a_decision_takes_every_step_to_the_cancellation_or_the_refund(
    order: Order, decision: PaymentResult, changes: list[StatusChanged]
) -> None:
    assert order.settle(decision, LATER) == changes
    last = changes[-1]
    assert (order.status, order.reason, order.updated_at) == (last.status, last.reason, LATER)
    still_asks = last.status is Status.REFUNDING
    assert order.ask_again_at == (LATER + timedelta(seconds=5) if still_asks else None)


PAID = [decided(CAPTURED), cancelling(decided(CAPTURED))]
FINAL = [decided(DECLINED), decided(VOIDED), decided(REFUNDED)]


@pytest.mark.parametrize(
    ("order", "late"),
    [*product(PAID, [CAPTURED, DECLINED, VOIDED]), *product(FINAL, [CAPTURED, DECLINED, VOIDED, REFUNDED])],
    ids=lambda value: value.status if isinstance(value, Order) else type(value).__name__,
)
def test_a_late_decision_changes_nothing_except_that_a_refund_ends_a_paid_order(
    order: Order, late: PaymentResult
) -> None:
    before = replace(order)
    assert order.settle(late, LATER) == []
    assert order == before


def test_an_order_that_gets_cancelled_asks_for_that_again_and_for_nothing_else() -> None:
    assert placed().ask_again(TRACE, LATER) == placed().placed(TRACE)
    for order in (cancelling(placed()), cancelling(decided(CAPTURED))):
        assert order.ask_again(TRACE, START + timedelta(seconds=5)) == REQUEST
        assert order.ask_again_at == START + timedelta(seconds=15)


def test_repeats_compare_the_time_that_the_client_gave_and_not_the_default() -> None:
    within = timedelta(minutes=15)
    by_default = Order.place(PLACE, "RUB", START, within)
    again = replace(PLACE, order_id=id_of(2))
    assert outcome(again, by_default) == Placed(by_default, replayed=True)
    assert isinstance(outcome(replace(again, pay_by=by_default.pay_by), by_default), Refused)
    given = Order.place(replace(PLACE, pay_by=LATER), "RUB", START, within)
    assert outcome(replace(again, pay_by=LATER), given) == Placed(given, replayed=True)
    assert isinstance(outcome(again, given), Refused)


@pytest.mark.parametrize("other", [{"amount": 1001}, {"description": "a lamp"}, {"description": ""}])
def test_the_same_key_with_other_values_is_refused(other: dict[str, object]) -> None:
    refused = outcome(replace(PLACE, order_id=id_of(2), **other), placed())  # type: ignore[arg-type]
    assert isinstance(refused, Refused)
    assert refused.code == "idempotency_key_reused"


def test_each_change_is_notified_in_order() -> None:
    order = cancelling(placed())
    notifications = order.notifications(order.settle(REFUNDED, LATER), TRACE)
    assert [(event.change.sequence, event.change.status) for event in notifications] == [
        (2, Status.FINISHED),
        (3, Status.REFUNDING),
        (4, Status.REFUNDED),
    ]
    assert {(event.order_id, event.user_id, event.traceparent) for event in notifications} == {
        (id_of(1), "alice", TRACE)
    }


def test_a_change_is_published_with_the_order_as_it_was_right_after_it() -> None:
    order = cancelling(placed())
    first, *_ = order.settle(REFUNDED, LATER)
    body = wire.order_body(order, first)
    assert (body.status, body.updated_at) == ("FINISHED", LATER)
    assert wire.order_body(order).status == "REFUNDED"
