"""ChargeOrders: each order is paid, declined or voided once and for ever, what was paid is given back at most
once, and every request is answered."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.domain.money import BALANCE_MAX_MINOR
from payments.contract.messages import PAYMENT_CAPTURED, PAYMENT_DECLINED, PAYMENT_REFUNDED, PAYMENT_VOIDED
from payments.domain.events import PaymentRequest, PaymentResult
from payments.domain.payment import Decision
from payments.domain.transfer import Kind
from tests.memory.parked import PARKED
from tests.unit.clock import id_of
from tests.unit.payments.world import TRACE, PaymentsWorld, cancellation, deposit, opening, order, world_of

Answer = tuple[int, str]


def answers(world: PaymentsWorld) -> list[Answer]:
    """For each answer in the outbox the number of its order, and `paid`, `refunded`, `voided` or a reason."""
    return [(int(event["subject"][-4:], 16), _verdict(event)) for event in world.outbox()]


VERDICTS = {PAYMENT_CAPTURED: "paid", PAYMENT_REFUNDED: "refunded", PAYMENT_VOIDED: "voided"}


def _verdict(event: dict[str, Any]) -> str:
    return VERDICTS.get(event["type"]) or str(event["data"]["reason"])


async def test_an_order_that_the_balance_covers_is_paid_and_answered() -> None:
    world = await world_of(alice=1000)
    await world.charge(order(1, amount=300))
    assert world.balances() == {"alice": 700}
    paid = world.transfers()[-1]
    assert (paid.kind, paid.amount, paid.order_id, paid.balance_after) == (Kind.CAPTURE, 300, id_of(1), 700)
    (payment,) = world.payments()
    assert (payment.decision, payment.transfer_id) == (Decision.CAPTURED, paid.id)
    (answer,) = world.outbox()
    assert (answer["type"], answer["subject"], answer["traceparent"]) == (
        PAYMENT_CAPTURED,
        str(id_of(1)),
        TRACE,
    )
    assert answer["data"] == {"orderId": str(id_of(1)), "userId": "alice", "transactionId": str(paid.id)}
    assert [row.type for row in world.committed] == [PAYMENT_CAPTURED]


async def test_an_order_that_nobody_can_pay_is_declined_with_its_reason() -> None:
    world = await world_of(alice=1000)
    await world.charge(order(1, amount=1001), order(2, user_id="nobody"), order(3, amount=1, currency="EUR"))
    assert answers(world) == [(1, "insufficient_funds"), (2, "account_not_found"), (3, "currency_mismatch")]
    assert {event["type"] for event in world.outbox()} == {PAYMENT_DECLINED}
    assert world.balances() == {"alice": 1000}
    assert len(world.payments()) == 3


async def test_whether_an_order_is_late_is_told_by_the_clock_of_its_first_decision() -> None:
    world = await world_of(alice=1000)
    soon = world.clock.now() + timedelta(seconds=2)
    await world.charge(order(1, amount=1, pay_by=soon))
    world.clock.advance(3)
    late, asked_again = order(2, amount=2, pay_by=soon), order(1, amount=1, pay_by=soon)
    await world.charge(late, order(3, amount=3), asked_again, cancellation(4), first_message=2)
    await world.charge(cancellation(2), order(4, amount=4, pay_by=soon), first_message=6)
    assert answers(world) == [
        *((1, "paid"), (2, "expired"), (3, "paid"), (1, "paid"), (4, "voided")),
        *((2, "expired"), (4, "voided")),
    ]
    assert world.balances() == {"alice": 996}


async def test_in_a_batch_a_refused_large_order_does_not_refuse_the_next_small_one() -> None:
    world = await world_of(alice=1000)
    await world.charge(order(1, amount=600), order(2, amount=600), order(3, amount=400), order(4, amount=1))
    assert answers(world) == [(1, "paid"), (2, "insufficient_funds"), (3, "paid"), (4, "insufficient_funds")]
    assert world.balances() == {"alice": 0}
    assert world.hold_together()


async def test_the_same_message_again_changes_nothing_and_answers_nothing() -> None:
    world = await world_of(alice=1000)
    await world.charge(order(1))
    await world.charge(order(1))
    assert world.balances() == {"alice": 0}
    assert answers(world) == [(1, "paid")]


async def test_the_same_order_in_a_new_message_is_answered_again_and_not_paid_again() -> None:
    world = await world_of(alice=2000)
    await world.charge(order(1))
    await world.charge(order(1), first_message=2)
    assert world.balances() == {"alice": 1000}
    assert answers(world) == [(1, "paid")] * 2
    assert len({event["id"] for event in world.outbox()}) == 2
    assert len({event["data"]["transactionId"] for event in world.outbox()}) == 1


async def test_the_same_order_twice_in_one_batch_is_paid_once_and_answered_twice() -> None:
    world = await world_of(alice=2000)
    await world.charge(order(1), order(1))
    assert world.balances() == {"alice": 1000}
    assert answers(world) == [(1, "paid")] * 2


async def test_a_declined_order_stays_declined_though_there_is_money_now() -> None:
    world = await world_of(alice=0)
    await world.charge(order(1), order(2, user_id="bob"))
    await world.open(opening(5, user_id="bob"))
    await world.deposit(deposit(1), deposit(2, user_id="bob"))
    await world.charge(order(1), order(2, user_id="bob"), first_message=10)
    assert answers(world) == [(1, "insufficient_funds"), (2, "account_not_found")] * 2
    assert world.balances() == {"alice": 1000, "bob": 1000}


async def test_an_order_that_several_messages_carry_at_the_same_time_is_paid_once() -> None:
    world = await world_of(alice=5500)
    await asyncio.gather(*(world.charge(order(1), first_message=number) for number in range(1, 9)))
    assert world.balances() == {"alice": 4500}
    assert answers(world) == [(1, "paid")] * 8


async def test_a_batch_that_fails_leaves_nothing_behind() -> None:
    def broken(event: PaymentResult, event_id: UUID, at: datetime) -> tuple[str, bytes]:
        raise ZeroDivisionError

    world = await world_of(alice=1000)
    whole, world.service.encode = world.service.encode, broken
    with pytest.raises(ZeroDivisionError):
        await world.charge(order(1))
    assert (world.balances(), world.payments(), world.outbox()) == ({"alice": 1000}, [], [])
    world.service.encode = whole
    await world.charge(order(1))
    assert answers(world) == [(1, "paid")]


async def test_a_cancellation_that_comes_first_voids_the_order_for_ever() -> None:
    world = await world_of(alice=1000)
    await world.charge(cancellation(1))
    await world.charge(order(1), cancellation(1), first_message=2)
    assert answers(world) == [(1, "voided")] * 3
    assert world.balances() == {"alice": 1000}
    assert [(p.decision, p.transfer_id) for p in world.payments()] == [(Decision.VOIDED, None)]


async def test_a_cancellation_that_comes_after_the_payment_gives_all_of_it_back_once() -> None:
    world = await world_of(alice=1000)
    await world.charge(order(1, amount=300))
    await world.charge(cancellation(1), first_message=2)
    await world.charge(cancellation(1), cancellation(1), order(1, amount=300), first_message=3)
    assert answers(world) == [(1, "paid")] + [(1, "refunded")] * 4
    assert world.balances() == {"alice": 1000}
    assert [(t.kind, t.amount) for t in world.transfers()[1:]] == [(Kind.CAPTURE, 300), (Kind.REFUND, 300)]
    assert [p.decision for p in world.payments()] == [Decision.CAPTURED]
    assert world.hold_together()


async def test_a_cancellation_of_what_was_declined_is_told_so() -> None:
    world = await world_of(alice=0)
    await world.charge(
        order(1), cancellation(1), order(2, user_id="nobody"), cancellation(2, user_id="nobody")
    )
    assert answers(world) == [(1, "insufficient_funds")] * 2 + [(2, "account_not_found")] * 2
    assert world.balances() == {"alice": 0}


async def test_an_order_that_is_cancelled_before_its_user_has_an_account_is_never_paid() -> None:
    world = PaymentsWorld()
    await world.charge(cancellation(1))
    await world.open(opening(5))
    await world.deposit(deposit(1))
    await world.charge(order(1), first_message=2)
    assert answers(world) == [(1, "voided")] * 2
    assert world.balances() == {"alice": 1000}


async def test_in_a_batch_what_a_refund_gives_back_pays_the_next_order() -> None:
    world = await world_of(alice=1000)
    await world.charge(order(1), order(2), cancellation(1), order(3))
    assert answers(world) == [(1, "paid"), (2, "insufficient_funds"), (1, "refunded"), (3, "paid")]
    assert world.balances() == {"alice": 0}
    assert world.hold_together()


async def test_a_refund_that_the_account_cannot_hold_is_made_once_there_is_room() -> None:
    world = await world_of(alice=1000)
    await world.charge(order(1))
    await world.deposit(deposit(1, amount=BALANCE_MAX_MINOR))
    (waiting,) = await world.charge(cancellation(1), first_message=2)
    assert (waiting.reason, waiting.subject) == ("balance_limit", str(id_of(1)))
    assert [row.unhandled for row in world.database.rows(PARKED)] == [waiting]
    assert world.balances() == {"alice": BALANCE_MAX_MINOR}
    await world.charge(order(2), first_message=3)
    assert await world.charge(cancellation(1), first_message=4) == []
    assert answers(world) == [(1, "paid"), (2, "paid"), (1, "refunded")]
    assert world.hold_together()


async def test_a_refund_that_has_to_wait_holds_up_nobody_else_of_its_batch() -> None:
    world = await world_of(alice=1000, bob=1000)
    await world.charge(order(1))
    await world.deposit(deposit(1, amount=BALANCE_MAX_MINOR))
    (waiting,) = await world.charge(
        cancellation(1), order(2, user_id="bob"), cancellation(3), first_message=2
    )
    assert waiting.subject == str(id_of(1))
    assert answers(world) == [(1, "paid"), (2, "paid"), (3, "voided")]
    assert world.hold_together()


USERS = ("alice", "bob", "nobody")
numbers = st.integers(1, 9)
"""An order is of one user."""
orders = st.builds(
    lambda number, **values: order(number, user_id=USERS[number % 3], **values),
    numbers,
    amount=st.sampled_from([1, 2, 3, 5]),
    currency=st.sampled_from(["RUB", "RUB", "EUR"]),
)
cancellations = numbers.map(lambda number: cancellation(number, user_id=USERS[number % 3]))
requests = orders | cancellations


@given(st.lists(requests, max_size=12), st.integers(0, 12))
async def test_the_place_where_a_batch_is_split_changes_no_decision(
    batch: list[PaymentRequest], place: int
) -> None:
    whole, split = await world_of(alice=6, bob=3), await world_of(alice=6, bob=3)
    await whole.charge(*batch)
    await split.charge(*batch[:place])
    await split.charge(*batch[place:], first_message=place + 1)
    assert answers(split) == answers(whole)
    assert len(answers(whole)) == len(batch)
    assert split.balances() == whole.balances()
    assert whole.hold_together()
    assert split.hold_together()


@given(st.lists(requests, max_size=12))
async def test_splitting_a_batch_by_users_changes_no_decision(batch: list[PaymentRequest]) -> None:
    whole, split = await world_of(alice=6, bob=3), await world_of(alice=6, bob=3)
    await whole.charge(*batch)
    first_message = 1
    for user_id in ("nobody", "bob", "alice"):
        part = [request for request in batch if request.user_id == user_id]
        await split.charge(*part, first_message=first_message)
        first_message += len(part)
    assert [(p.user_id, p.order_id, p.decision, p.reason) for p in split.payments()] == [
        (p.user_id, p.order_id, p.decision, p.reason) for p in whole.payments()
    ]
    assert split.balances() == whole.balances()


async def test_an_order_that_was_decided_for_one_user_is_never_charged_to_another() -> None:
    world = await world_of(alice=1000, bob=1000)
    await world.charge(order(1, amount=300), order(2, amount=5000))
    foreign = [order(1, user_id="bob", amount=300), order(2, user_id="bob", amount=1)]
    unhandled = await world.charge(*foreign, cancellation(1, user_id="bob"), first_message=3)
    assert [one.reason for one in unhandled] == ["user_differs"] * 3
    assert world.balances() == {"alice": 700, "bob": 1000}
    assert answers(world) == [(1, "paid"), (2, "insufficient_funds")]
    assert {row.unhandled.reason for row in world.database.rows(PARKED)} == {"user_differs"}


async def test_of_two_users_that_one_batch_names_for_an_order_the_first_is_charged() -> None:
    world = await world_of(alice=1000, bob=1000)
    (unhandled,) = await world.charge(order(1, amount=300), order(1, user_id="bob", amount=300))
    assert unhandled.reason == "user_differs"
    assert world.balances() == {"alice": 700, "bob": 1000}
