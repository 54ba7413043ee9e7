"""SettleOrders: each order is finished or cancelled once, whatever comes and however often."""

from orders.domain.events import PaymentCaptured, PaymentDeclined
from orders.domain.status import Status
from tests.memory.inbox import INBOX
from tests.memory.parked import PARKED
from tests.unit.clock import id_of
from tests.unit.orders.world import TRACE, OrdersWorld, order


def captured(number: int, *, user_id: str = "alice") -> PaymentCaptured:
    return PaymentCaptured(order_id=id_of(number), user_id=user_id, traceparent=TRACE)


def declined(number: int) -> PaymentDeclined:
    return PaymentDeclined(
        order_id=id_of(number), user_id="alice", traceparent=TRACE, reason="insufficient_funds"
    )


async def placed(*numbers: int) -> OrdersWorld:
    world = OrdersWorld()
    await world.place(*(order(number) for number in numbers))
    return world


def statuses(world: OrdersWorld) -> list[Status]:
    return [o.status for o in world.orders()]


async def test_decisions_settle_their_orders_and_add_to_their_history() -> None:
    world = await placed(1, 2, 3)
    world.clock.advance(60)
    await world.settle(captured(2), declined(1))
    assert statuses(world) == [Status.CANCELLED, Status.FINISHED, Status.NEW]
    assert [o.reason for o in world.orders()] == ["insufficient_funds", None, None]
    assert [(o.updated_at - o.created_at).seconds for o in world.orders()] == [60, 60, 0]
    assert [(row.order_id, row.sequence, row.status) for row in world.history()] == [
        (id_of(1), 1, Status.NEW),
        (id_of(1), 2, Status.CANCELLED),
        (id_of(2), 1, Status.NEW),
        (id_of(2), 2, Status.FINISHED),
        (id_of(3), 1, Status.NEW),
    ]
    assert world.notified() == [(str(id_of(2)), 2, "FINISHED"), (str(id_of(1)), 2, "CANCELLED")]


async def test_the_same_message_again_changes_nothing() -> None:
    world = await placed(1)
    await world.settle(captured(1))
    await world.settle(captured(1))
    assert [row.sequence for row in world.history()] == [1, 2]


async def test_the_same_decision_in_a_new_message_changes_nothing() -> None:
    world = await placed(1)
    await world.settle(captured(1), captured(1))
    await world.settle(declined(1), first_message=10)
    assert statuses(world) == [Status.FINISHED]
    assert [row.sequence for row in world.history()] == [1, 2]


async def test_decisions_about_orders_that_are_not_there_are_parked_and_all_others_are_settled() -> None:
    world = await placed(1, 2)
    unhandled = await world.settle(captured(8), captured(1), declined(9), declined(2))
    assert statuses(world) == [Status.FINISHED, Status.CANCELLED]
    assert [(item.reason, item.subject) for item in unhandled] == [
        ("order_not_found", str(id_of(number))) for number in (8, 9)
    ]
    assert {row.unhandled for row in world.database.rows(PARKED)} == set(unhandled)
    assert len(world.database.rows(INBOX)) == 4
    assert [number for _, number, _ in world.notified()] == [2, 2]


async def test_a_parked_decision_that_comes_again_is_not_counted_again() -> None:
    world = await placed(1)
    await world.settle(captured(9), captured(1))
    assert await world.settle(captured(9), captured(1)) == []
    assert [row.count for row in world.database.rows(PARKED)] == [1]


async def test_an_order_is_not_there_for_another_user_though_its_own_user_is_in_the_batch() -> None:
    world = await placed(1)
    (unhandled,) = await world.settle(captured(1, user_id="bob"), declined(1))
    assert unhandled.reason == "order_not_found"
    assert statuses(world) == [Status.CANCELLED]
