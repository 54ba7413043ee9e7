"""The life of an order: placed once, decided once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kernel.domain.errors import Refused
from orders.domain.order import (
    Order,
    OrderPlaced,
    PaymentCaptured,
    PaymentDecided,
    PaymentDeclined,
    Placed,
    PlaceOrder,
    Status,
    StatusChanged,
    outcome,
)
from tests.unit.clock import START, id_of

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
LATER = START + timedelta(seconds=1)

PLACE = PlaceOrder(
    order_id=id_of(1),
    user_id="alice",
    amount=1000,
    description="a book",
    idempotency_key="k",
    traceparent=TRACE,
)
CAPTURED = PaymentCaptured(order_id=id_of(1), user_id="alice", traceparent=TRACE)
DECLINED = PaymentDeclined(order_id=id_of(1), user_id="alice", traceparent=TRACE, reason="insufficient_funds")


def placed() -> Order:
    return Order.place(PLACE, "RUB", START)


def decided(*decisions: PaymentDecided) -> Order:
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
        order_id=id_of(1), user_id="alice", traceparent=TRACE, amount=1000, currency="RUB"
    )


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


@pytest.mark.parametrize("late", [CAPTURED, DECLINED], ids=["captured", "declined"])
@pytest.mark.parametrize("first", [CAPTURED, DECLINED], ids=["captured", "declined"])
def test_a_repeated_or_late_decision_changes_nothing(first: PaymentDecided, late: PaymentDecided) -> None:
    order = decided(first)
    before = replace(order)
    assert order.settle(late, LATER) == []
    assert order == before


def test_the_command_that_placed_the_order_is_told_so_however_often_it_asks() -> None:
    order = decided(CAPTURED)
    assert outcome(PLACE, order) == Placed(order, replayed=False)


def test_another_command_with_the_same_key_and_values_gets_the_order_in_its_current_state() -> None:
    order = decided(DECLINED)
    assert outcome(replace(PLACE, order_id=id_of(2)), order) == Placed(order, replayed=True)


@pytest.mark.parametrize("other", [{"amount": 1001}, {"description": "a lamp"}, {"description": ""}])
def test_the_same_key_with_other_values_is_refused(other: dict[str, object]) -> None:
    refused = outcome(replace(PLACE, order_id=id_of(2), **other), placed())  # type: ignore[arg-type]
    assert isinstance(refused, Refused)
    assert refused.code == "idempotency_key_reused"
