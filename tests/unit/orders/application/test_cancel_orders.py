"""CancelOrders: payments is asked once an order, however often it is cancelled, whatever happens to it."""

import asyncio

import pytest

from kernel.domain.errors import ShopError
from orders.contract.messages import ORDER_CANCELLATION_REQUESTED
from orders.domain.events import PaymentCaptured, PaymentRefunded, PaymentResult, PaymentVoided
from orders.domain.order import Cancelled
from orders.domain.status import Status
from tests.unit.clock import id_of
from tests.unit.orders.world import TRACE, OrdersWorld, order

ABOUT = {"order_id": id_of(1), "user_id": "alice", "traceparent": TRACE}
CAPTURED = PaymentCaptured(**ABOUT)  # type: ignore[arg-type]
REFUNDED = PaymentRefunded(**ABOUT)  # type: ignore[arg-type]
VOIDED = PaymentVoided(**ABOUT)  # type: ignore[arg-type]


async def placed(*decisions: PaymentResult) -> OrdersWorld:
    """One order, about which this was decided; its own request is published."""
    world = OrdersWorld()
    await world.place(order(1))
    await world.settle(*decisions)
    world.published()
    return world


def summary(outcomes: list[Cancelled | ShopError]) -> list[str]:
    return [o.order.status.value if isinstance(o, Cancelled) else o.code for o in outcomes]


def status_history(world: OrdersWorld) -> list[str]:
    return [row.status.value for row in world.history()]


async def test_a_new_order_stays_new_and_payments_is_asked() -> None:
    world = await placed()
    assert summary(await world.cancel(1)) == ["NEW"]
    assert status_history(world) == ["NEW"]
    (request,) = world.outbox()
    assert (request["type"], request["traceparent"]) == (ORDER_CANCELLATION_REQUESTED, TRACE)
    assert request["subject"] == str(id_of(1))
    assert request["data"] == {"orderId": str(id_of(1)), "userId": "alice"}


async def test_a_finished_order_gets_refunded_and_payments_is_asked() -> None:
    world = await placed(CAPTURED)
    assert summary(await world.cancel(1)) == ["REFUNDING"]
    assert status_history(world) == ["NEW", "FINISHED", "REFUNDING"]
    assert [request["type"] for request in world.outbox()] == [ORDER_CANCELLATION_REQUESTED]
    assert world.notified() == [(str(id_of(1)), 3, "REFUNDING")]


@pytest.mark.parametrize("decisions", [[], [CAPTURED]], ids=["new", "finished"])
async def test_however_often_and_at_the_same_time_it_is_cancelled_payments_is_asked_once(
    decisions: list[PaymentResult],
) -> None:
    world = await placed(*decisions)
    batches = await asyncio.gather(*(world.cancel(1, 1) for _ in range(5)))
    assert len({status for outcomes in batches for status in summary(outcomes)}) == 1
    assert len(world.outbox()) == 1
    assert len(world.history()) == (3 if decisions else 1)


async def test_an_order_is_not_there_for_another_user_and_its_neighbours_are_cancelled() -> None:
    world = await placed()
    await world.place(order(2, user_id="bob"))
    world.published()
    assert summary(await world.cancel(9, 2, 1)) == ["order_not_found", "order_not_found", "NEW"]
    assert [request["subject"] for request in world.outbox()] == [str(id_of(1))]


@pytest.mark.parametrize(
    ("answers", "statuses"),
    [
        ([VOIDED], ["NEW", "CANCELLED"]),
        ([CAPTURED, REFUNDED], ["NEW", "FINISHED", "REFUNDING", "REFUNDED"]),
        ([REFUNDED, CAPTURED], ["NEW", "FINISHED", "REFUNDING", "REFUNDED"]),
        ([CAPTURED], ["NEW", "FINISHED", "REFUNDING"]),
    ],
    ids=["voided", "paid, then refunded", "refunded overtakes paid", "paid so far"],
)
async def test_a_cancelled_order_is_settled_by_what_payments_answers(
    answers: list[PaymentResult], statuses: list[str]
) -> None:
    world = await placed()
    await world.cancel(1)
    for number, answer in enumerate(answers, 10):
        await world.settle(answer, first_message=number)
    await world.settle(*answers, first_message=20)
    assert status_history(world) == statuses
    assert [row.sequence for row in world.history()] == list(range(1, len(statuses) + 1))
    assert world.orders()[0].status is Status(statuses[-1])
    assert world.notified() == [(str(id_of(1)), n, status) for n, status in enumerate(statuses, 1) if n > 1]
