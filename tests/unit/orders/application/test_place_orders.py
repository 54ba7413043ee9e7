"""PlaceOrders: accepted once per key, with its history and its event; refused without a trace."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.domain.errors import Contention, Refused
from orders.contract.messages import ORDER_PLACED
from orders.domain.commands import Placement
from orders.domain.order import Order, Placed
from orders.domain.status import Status
from tests.builders import TRACE_ID
from tests.memory.database import MemoryDatabase
from tests.memory.orders import MemoryOrders
from tests.memory.unit_of_work import MemoryUnitOfWork
from tests.unit.clock import id_of
from tests.unit.orders.world import TRACE, OrdersWorld, order


def summary(outcomes: list[Placed | Refused]) -> list[object]:
    """The outcomes in short: the number of the order, `again` where it was replayed, or the code."""
    return [
        outcome.code
        if isinstance(outcome, Refused)
        else (outcome.order.id.int & 0xFFFF, "again")
        if outcome.replayed
        else outcome.order.id.int & 0xFFFF
        for outcome in outcomes
    ]


async def test_accepted_orders_are_kept_with_their_history_and_their_events() -> None:
    world = OrdersWorld()
    assert summary(await world.place(order(1), order(2, user_id="bob", amount=5))) == [1, 2]
    assert [(o.id, o.user_id, o.amount, o.currency, o.status) for o in world.orders()] == [
        (id_of(1), "alice", 1000, "RUB", Status.NEW),
        (id_of(2), "bob", 5, "RUB", Status.NEW),
    ]
    assert [(row.order_id, row.sequence, row.status) for row in world.history()] == [
        (id_of(1), 1, Status.NEW),
        (id_of(2), 1, Status.NEW),
    ]
    events = world.outbox()
    assert [(event["type"], event["subject"], event["traceparent"]) for event in events] == [
        (ORDER_PLACED, str(id_of(1)), TRACE),
        (ORDER_PLACED, str(id_of(2)), TRACE),
    ]
    assert events[1]["data"] == {"orderId": str(id_of(2)), "userId": "bob", "amount": 0.05, "currency": "RUB"}
    assert [row.type for row in world.committed] == [ORDER_PLACED]


async def test_payments_is_asked_once_for_the_whole_batch() -> None:
    world = OrdersWorld()
    await world.place(order(1), order(2), order(3))
    assert world.asked == [[order(1), order(2), order(3)]]


async def test_a_refused_order_leaves_nothing_and_its_neighbours_are_placed() -> None:
    world = OrdersWorld(bob="insufficient_funds", carol="account_not_found")
    outcomes = await world.place(order(1), order(2, user_id="bob"), order(3, user_id="carol"), order(4))
    assert summary(outcomes) == [1, "insufficient_funds", "account_not_found", 4]
    assert [o.id for o in world.orders()] == [id_of(1), id_of(4)]
    assert len(world.history()) == len(world.outbox()) == 2


async def test_a_batch_of_refused_orders_wakes_nobody() -> None:
    world = OrdersWorld(alice="insufficient_funds")
    assert summary(await world.place(order(1))) == ["insufficient_funds"]
    assert (world.orders(), world.history(), world.outbox(), world.committed) == ([], [], [], [])


async def test_the_same_commands_again_do_nothing_and_are_told_the_same() -> None:
    world = OrdersWorld()
    batch = [order(1), order(2, key="k")]
    assert summary(await world.place(*batch)) == summary(await world.place(*batch)) == [1, 2]
    assert len(world.orders()) == len(world.history()) == len(world.outbox()) == 2


async def test_the_same_key_and_values_get_the_first_order_even_where_it_would_be_refused_now() -> None:
    world = OrdersWorld()
    await world.place(order(1, key="k"))
    world.reasons["alice"] = "insufficient_funds"
    assert summary(await world.place(order(2, key="k"))) == [(1, "again")]
    assert len(world.orders()) == len(world.outbox()) == 1


async def test_an_order_whose_time_to_pay_is_over_is_refused_and_leaves_nothing() -> None:
    world = OrdersWorld(bob="insufficient_funds")
    past, now = world.clock.now() - timedelta(microseconds=1), world.clock.now()
    outcomes = await world.place(
        order(1, pay_by=past), order(2, pay_by=now), order(3, user_id="bob", pay_by=past), order(4)
    )
    assert summary(outcomes) == ["expired", 2, "expired", 4]
    assert [o.id for o in world.orders()] == [id_of(2), id_of(4)]
    assert [event["data"].get("payBy") for event in world.outbox()] == ["2025-01-01T00:00:00Z", None]


async def test_a_repeat_is_answered_first_though_its_time_to_pay_is_over() -> None:
    world = OrdersWorld()
    soon = world.clock.now() + timedelta(seconds=2)
    await world.place(order(1, key="k", pay_by=soon))
    world.clock.advance(3)
    outcomes = await world.place(order(2, key="k", pay_by=soon), order(3, key="other", pay_by=soon))
    assert summary(outcomes) == [(1, "again"), "expired"]


async def test_an_order_that_may_be_stored_already_is_not_checked_again() -> None:
    world = OrdersWorld()
    late = order(1, pay_by=world.clock.now() - timedelta(seconds=1))
    assert summary(await world.service.place_orders([late], checked=True)) == [1]


async def test_without_a_time_of_its_own_an_order_has_the_default_which_repeats_do_not_compare() -> None:
    world = OrdersWorld(pay_within=timedelta(minutes=15))
    hour = world.clock.now() + timedelta(hours=1)
    await world.place(order(1, key="k"), order(2, pay_by=hour))
    assert [o.pay_by for o in world.orders()] == [world.clock.now() + timedelta(minutes=15), hour]
    assert [o.pay_by_given for o in world.orders()] == [None, hour]
    world.clock.advance(1)
    assert summary(await world.place(order(3, key="k"))) == [(1, "again")]
    assert summary(await world.place(order(4, key="k", pay_by=hour))) == ["idempotency_key_reused"]


async def test_a_key_twice_in_one_batch_places_one_order_and_the_first_one_wins() -> None:
    world = OrdersWorld()
    outcomes = await world.place(order(1, key="k"), order(2, key="k"), order(3, key="k", amount=1))
    assert summary(outcomes) == [1, (1, "again"), "idempotency_key_reused"]
    assert [o.id for o in world.orders()] == [id_of(1)]


async def test_a_twin_that_was_placed_while_payments_was_asked_is_found() -> None:
    world = OrdersWorld()
    world.meanwhile = lambda: world.place(order(1, key="k"))
    assert summary(await world.place(order(2, key="k"))) == [(1, "again")]
    assert len(world.orders()) == len(world.outbox()) == 1


async def test_an_order_is_not_refused_for_the_money_that_its_own_twin_has_spent() -> None:
    world = OrdersWorld(alice="insufficient_funds")

    async def twin() -> None:
        del world.reasons["alice"]
        await world.place(order(1, key="k"))
        world.reasons["alice"] = "insufficient_funds"

    world.meanwhile = twin
    assert summary(await world.place(order(2, key="k"))) == [(1, "again")]


async def test_an_order_is_not_refused_while_its_own_twin_is_being_placed() -> None:
    """By another replica, say, whose COMMIT goes on although the replica died."""
    world = OrdersWorld(alice="insufficient_funds")
    uow = MemoryUnitOfWork(world.database)
    async with uow:
        await MemoryOrders(uow).add([Order.place(order(1, key="k"), "RUB", world.clock.now())])
        repeated = asyncio.create_task(world.place(order(2, key="k"), order(3, key="other")))
        while not any(lock.waiting for lock in world.database.locks.values()):
            await asyncio.sleep(0)
    assert summary(await repeated) == [(1, "again"), "insufficient_funds"]
    assert [o.id for o in world.orders()] == [id_of(1)]


async def test_twins_at_the_same_time_place_one_order() -> None:
    world = OrdersWorld()
    outcomes = await asyncio.gather(*(world.place(order(number, key="k")) for number in range(1, 9)))
    assert len(world.orders()) == len(world.history()) == len(world.outbox()) == 1
    (placed,) = world.orders()
    assert {outcome.order.id for (outcome,) in outcomes if isinstance(outcome, Placed)} == {placed.id}
    assert sum(not outcome.replayed for (outcome,) in outcomes if isinstance(outcome, Placed)) == 1


async def test_a_batch_does_nothing_while_a_twin_cannot_be_read_yet() -> None:
    world = OrdersWorld()
    await world.place(order(1, key="k"))
    world.service.readable = MemoryDatabase()
    with pytest.raises(Contention):
        await world.place(order(2, key="k"), order(3))
    assert len(world.orders()) == len(world.outbox()) == 1


commands = st.builds(
    order,
    st.integers(1, 1000),
    user_id=st.sampled_from(["alice", "bob", "poor"]),
    amount=st.sampled_from([1, 2]),
    key=st.none() | st.sampled_from("kl"),
)


@given(st.lists(commands, max_size=12, unique_by=lambda command: command.order_id), st.data())
async def test_splitting_a_batch_by_users_changes_no_outcome(
    batch: list[Placement], data: st.DataObject
) -> None:
    whole, split = OrdersWorld(poor="insufficient_funds"), OrdersWorld(poor="insufficient_funds")
    together = dict(zip(batch, summary(await whole.place(*batch)), strict=True))
    apart = {}
    for user_id in data.draw(st.permutations(["alice", "bob", "poor"])):
        part = [command for command in batch if command.user_id == user_id]
        apart |= dict(zip(part, summary(await split.place(*part)), strict=True))
    assert apart == together
    assert split.orders() == whole.orders()
    assert {e["subject"] for e in split.outbox()} == {e["subject"] for e in whole.outbox()}


async def test_an_order_keeps_the_trace_of_the_call_that_placed_it() -> None:
    world = OrdersWorld()
    await world.place(order(1), replace(order(2), traceparent=""))
    assert [o.trace_id for o in world.orders()] == [UUID(hex=TRACE_ID), None]
