"""The status history of an order: placed once, decided once, cancelled or refunded at most once."""

from dataclasses import replace
from datetime import timedelta

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
from orders.domain.placing import expired, outcome
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
ANY_DECISION = pytest.mark.parametrize(
    "late", [CAPTURED, DECLINED, REFUNDED, VOIDED], ids=["captured", "declined", "refunded", "voided"]
)


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


def test_a_placed_order_asks_for_its_payment() -> None:
    assert placed().placed(TRACE) == OrderPlaced(
        order_id=id_of(1),
        user_id="alice",
        traceparent=TRACE,
        idempotency_key="k",
        amount=1000,
        currency="RUB",
    )


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


def test_an_order_that_nobody_could_pay_in_time_is_refused() -> None:
    assert expired(PLACE, LATER) is None
    assert expired(replace(PLACE, pay_by=LATER), LATER) is None
    refused = expired(replace(PLACE, pay_by=START), LATER)
    assert refused is not None
    assert refused.code == "expired"


def test_events_of_an_order_name_the_call_and_the_key_behind_them() -> None:
    order = placed()
    assert order.placed(TRACE, "call-1").request_id == "call-1"
    order.settle(CAPTURED, LATER)
    cancelled = order.cancel(TRACE, LATER, "call-2")
    assert isinstance(cancelled, Cancelled)
    events = [*cancelled.events, *cancelled.notifications]
    assert [(event.request_id, event.idempotency_key) for event in events] == [("call-2", "k")] * 2


def test_a_captured_payment_finishes_the_order() -> None:
    order = placed()
    assert order.settle(CAPTURED, LATER) == [changed(2, Status.FINISHED, None)]
    assert (order.status, order.reason, order.updated_at) == (Status.FINISHED, None, LATER)
    assert order.created_at == START


@pytest.mark.parametrize("reason", ["insufficient_funds", "account_not_found", "currency_mismatch"])
def test_a_declined_payment_cancels_the_order_with_its_reason(reason: str) -> None:
    order = placed()
    assert order.settle(replace(DECLINED, reason=reason), LATER) == [changed(2, Status.CANCELLED, reason)]
    assert (order.status, order.reason, order.updated_at) == (Status.CANCELLED, reason, LATER)


@pytest.mark.parametrize("late", [CAPTURED, DECLINED, VOIDED], ids=["captured", "declined", "voided"])
@pytest.mark.parametrize("first", [CAPTURED, DECLINED], ids=["captured", "declined"])
def test_a_repeated_or_late_decision_changes_nothing(first: PaymentResult, late: PaymentResult) -> None:
    order = decided(first)
    before = replace(order)
    assert order.settle(late, LATER) == []
    assert order == before


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


@pytest.mark.parametrize("last", [DECLINED, VOIDED], ids=["declined", "voided"])
def test_it_is_too_late_to_cancel_a_cancelled_order(last: PaymentResult) -> None:
    order = decided(last)
    before = replace(order)
    refusal = order.cancel(TRACE, LATER)
    assert isinstance(refusal, Conflict)
    assert (refusal.code, order) == ("order_cancelled", before)


def test_it_is_too_late_to_cancel_a_refunded_order() -> None:
    refusal = decided(REFUNDED).cancel(TRACE, LATER)
    assert isinstance(refusal, Conflict)
    assert refusal.code == "order_refunded"


def test_a_voided_payment_cancels_the_order_for_its_user() -> None:
    order = cancelling(placed())
    assert order.settle(VOIDED, LATER) == [changed(2, Status.CANCELLED, "cancelled_by_user")]
    assert (order.status, order.reason, order.ask_again_at) == (Status.CANCELLED, "cancelled_by_user", None)


def test_a_declined_payment_cancels_an_order_for_its_own_reason_though_its_user_wanted_that_too() -> None:
    order = cancelling(placed())
    assert order.settle(DECLINED, LATER) == [changed(2, Status.CANCELLED, "insufficient_funds")]


def test_an_order_that_is_paid_before_its_cancellation_gets_refunded_at_once() -> None:
    order = cancelling(placed())
    assert order.settle(CAPTURED, LATER) == [
        changed(2, Status.FINISHED, None),
        changed(3, Status.REFUNDING, None),
    ]
    assert (order.status, order.ask_again_at) == (Status.REFUNDING, LATER + timedelta(seconds=5))


def test_a_refund_is_the_last_status_of_a_paid_order() -> None:
    order = cancelling(decided(CAPTURED))
    assert order.settle(REFUNDED, LATER) == [changed(4, Status.REFUNDED, None)]
    assert (order.status, order.reason, order.ask_again_at) == (Status.REFUNDED, None, None)


@pytest.mark.parametrize(
    ("order", "reached"), [(cancelling(placed()), 1), (decided(CAPTURED), 2)], ids=["new", "finished"]
)
def test_a_refund_makes_up_for_the_steps_that_went_before_it(order: Order, reached: int) -> None:
    whole = [
        changed(2, Status.FINISHED, None),
        changed(3, Status.REFUNDING, None),
        changed(4, Status.REFUNDED, None),
    ]
    assert order.settle(REFUNDED, LATER) == whole[reached - 1 :]
    assert order.ask_again_at is None


@ANY_DECISION
@pytest.mark.parametrize("last", [DECLINED, VOIDED, REFUNDED], ids=["declined", "voided", "refunded"])
def test_nothing_changes_an_order_in_a_final_status(last: PaymentResult, late: PaymentResult) -> None:
    order = decided(last)
    before = replace(order)
    assert order.settle(late, LATER) == []
    assert order == before


@pytest.mark.parametrize("late", [CAPTURED, DECLINED, VOIDED], ids=["captured", "declined", "voided"])
def test_only_its_refund_changes_an_order_that_gets_refunded(late: PaymentResult) -> None:
    order = cancelling(decided(CAPTURED))
    before = replace(order)
    assert order.settle(late, LATER) == []
    assert order == before


def test_an_order_that_gets_cancelled_asks_for_that_again_and_for_nothing_else() -> None:
    assert placed().ask_again(TRACE, LATER) == placed().placed(TRACE)
    for order in (cancelling(placed()), cancelling(decided(CAPTURED))):
        assert order.ask_again(TRACE, START + timedelta(seconds=5)) == REQUEST
        assert order.ask_again_at == START + timedelta(seconds=15)


def test_the_command_that_placed_the_order_is_told_so_however_often_it_asks() -> None:
    order = decided(CAPTURED)
    assert outcome(PLACE, order) == Placed(order, replayed=False)


def test_another_command_with_the_same_key_and_values_gets_the_order_in_its_current_state() -> None:
    order = decided(DECLINED)
    assert outcome(replace(PLACE, order_id=id_of(2)), order) == Placed(order, replayed=True)


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
