"""What every store of orders promises: the collection, its history, and the reads beside it."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from kernel.domain.caller import ANYONE
from kernel.domain.errors import Contention
from kernel.domain.events import MessageId, Unhandled
from orders.domain.commands import CancelOrder
from orders.domain.order import Order
from orders.domain.status import Status
from tests.ports.orders import LATER, NOW, add, add_first, cancel, changed, decided, order, record, there
from tests.ports.worlds import World, ended, failing, undone


async def test_an_order_that_was_added_is_there_with_all_its_values(world: World) -> None:
    plain = order(1)
    odd = order(
        2,
        "grace",
        amount=99_999_999_999_999,
        description="Кофе 'ü' \"😀\" \\",
        status=Status.CANCELLED,
        reason="insufficient_funds",
        idempotency_key="key",
        cancel_requested_at=LATER,
        ask_again_at=None,
        updated_at=LATER,
        pay_by=LATER,
        pay_by_given=NOW,
        trace_id=UUID("0af76519-16cd-43dd-8448-eb211c80319c"),
    )
    await add(world, plain, odd)
    await add(world)
    assert await world.placed().get(plain.id) == plain
    assert await world.placed().get(odd.id) == odd


@pytest.mark.parametrize("twin", [order(1), order(2, idempotency_key="key")], ids=["id", "key"])
async def test_no_order_is_added_where_one_is_there_already_and_the_first_stays(
    world: World, twin: Order
) -> None:
    first = order(1, idempotency_key="key")
    await add(world, first)
    with pytest.raises(Contention):
        await add(world, order(3), replace(twin, amount=5), order(4))
    assert await there(world) == [first.id]
    assert await world.placed().get(first.id) == first


async def test_an_idempotency_key_belongs_to_its_user(world: World) -> None:
    await add(world, order(1, "ada", idempotency_key="key"))
    await add(world, order(2, "grace", idempotency_key="key"))
    assert await there(world) == [order(1).id, order(2).id]


async def test_of_two_orders_with_one_key_in_one_call_none_is_added(world: World) -> None:
    with pytest.raises(Contention):
        await add(world, order(1, idempotency_key="key"), order(2, idempotency_key="key"))
    assert await there(world) == []


async def test_an_added_order_is_the_transactions_own_until_it_commits(world: World) -> None:
    async with undone(world.uow()) as uow:
        await world.orders(uow).add([order(1)])
        assert await world.orders(uow).lock(decided(order(1))) == {order(1).id: order(1)}
        assert await world.placed().get(order(1).id) is None
    assert await world.placed().get(order(1).id) is None


@pytest.mark.parametrize("twin", [order(1), order(2, idempotency_key="key")], ids=["id", "key"])
async def test_adding_a_twin_waits_for_the_first_and_finds_it(world: World, twin: Order) -> None:
    async with world.uow() as uow:
        await add_first(world, uow, order(1, idempotency_key="key"))
        second = world.start(add(world, twin, order(3)))
        await world.blocked(second)
    with pytest.raises(Contention):
        await ended(second)
    assert await there(world) == [order(1).id]


async def test_adding_a_twin_succeeds_when_the_first_rolls_back(world: World) -> None:
    async with undone(world.uow()) as uow:
        await add_first(world, uow, order(1, idempotency_key="key"))
        second = world.start(add(world, order(2, idempotency_key="key")))
        await world.blocked(second)
    await ended(second)
    assert await there(world) == [order(2).id]


async def test_batches_of_twins_in_opposite_orders_are_no_deadlock(world: World) -> None:
    """A client that repeats two calls at once: the same keys, other ids. The gate holds both half way."""
    one = [order(number, idempotency_key=key) for number, key in ((1, "a"), (2, "gate"), (3, "b"))]
    other = [order(number, idempotency_key=key) for number, key in ((4, "b"), (5, "gate"), (6, "a"))]
    async with undone(world.uow()) as uow:
        await add_first(world, uow, order(9, idempotency_key="gate"))
        first = world.start(add(world, *one))
        await world.blocked(first)
        second = world.start(add(world, *other))
        await world.blocked(first, second)
    await ended(first)
    with pytest.raises(Contention):
        await ended(second)
    assert await there(world) == [new.id for new in one]


async def test_locking_gives_the_orders_that_the_decisions_are_about(world: World) -> None:
    await add(world, order(1), order(2), order(3, "grace"))
    async with world.uow() as uow:
        locked = await world.orders(uow).lock(decided(order(3, "grace"), order(1), order(1)))
        assert locked == {order(1).id: order(1), order(3).id: order(3, "grace")}
        assert await world.orders(uow).lock([]) == {}


async def test_locking_is_the_same_for_those_who_cancel(world: World) -> None:
    await add(world, order(1), order(2), order(3, "grace"))
    commands = [
        CancelOrder(order_id=order(number).id, caller=ANYONE, user_id="ada", traceparent="")
        for number in (2, 1, 2, 3, 4)
    ]
    async with world.uow() as uow:
        locked = await world.orders(uow).lock(commands)
        assert locked == {order(1).id: order(1), order(2).id: order(2)}


async def test_locking_leaves_out_what_is_not_there_or_not_of_that_user(world: World) -> None:
    await add(world, order(1), order(2, "grace"))
    async with world.uow() as uow:
        locked = await world.orders(uow).lock(decided(order(1, "grace"), order(2, "grace"), order(3)))
        assert locked == {order(2).id: order(2, "grace")}


async def test_a_locked_order_is_seen_as_the_transaction_before_left_it(world: World) -> None:
    await add(world, order(1), order(2))
    async with world.uow() as uow:
        orders = world.orders(uow)
        locked = await orders.lock(decided(order(1)))
        second = world.start(cancel(world, order(1), reason="second"))
        await world.blocked(second)
        locked[order(1).id].reason = "first"
        await orders.save(list(locked.values()))
        await ended(world.start(cancel(world, order(2))))
    await ended(second)
    found = await world.placed().get(order(1).id)
    assert found == order(1, status=Status.CANCELLED, reason="second", updated_at=LATER)


async def test_locks_in_opposite_orders_are_no_deadlock(world: World) -> None:
    await add(world, order(1), order(2), order(3))
    async with world.uow() as uow:
        await world.orders(uow).lock(decided(order(2)))
        first = world.start(cancel(world, order(1), order(2), order(3), reason="first"))
        await world.blocked(first)
        second = world.start(cancel(world, order(3), order(2), order(1), reason="second"))
        await world.blocked(first, second)
    await ended(first)
    await ended(second)


async def test_a_lock_ends_with_a_rollback(world: World) -> None:
    await add(world, order(1))
    async with undone(world.uow()) as uow:
        await world.orders(uow).lock(decided(order(1)))
    await cancel(world, order(1))


async def test_saving_changes_what_became_of_the_order_and_nothing_else(world: World) -> None:
    await add(world, order(1, idempotency_key="key"), order(2))
    async with world.uow() as uow:
        orders = world.orders(uow)
        (found,) = (await orders.lock(decided(order(1)))).values()
        changed = replace(
            found,
            status=Status.REFUNDING,
            reason="why",
            cancel_requested_at=NOW,
            ask_again_at=None,
            updated_at=LATER,
        )
        await orders.save([replace(changed, amount=1, description="other", currency="USD")])
        assert await orders.lock(decided(order(1))) == {changed.id: changed}
        await orders.save([])
    assert await world.placed().get(changed.id) == changed
    assert await world.placed().get(order(2).id) == order(2)


async def overdue(world: World, now: datetime = LATER, *, count_max: int = 10) -> list[int]:
    """The numbers of the orders that it is time to ask about."""
    async with world.uow() as uow:
        return [found.id.int for found in await world.orders(uow).overdue(now, count_max=count_max)]


async def test_orders_are_overdue_from_their_time_on_the_longest_overdue_first(world: World) -> None:
    times = {1: LATER, 2: NOW, 3: None, 4: LATER + timedelta(microseconds=1)}
    await add(world, *(order(number, ask_again_at=at) for number, at in times.items()))
    assert await overdue(world) == [2, 1]
    assert await overdue(world, count_max=1) == [2]
    assert await overdue(world, NOW - timedelta(seconds=1)) == []


async def test_an_order_that_somebody_else_has_locked_is_passed_over(world: World) -> None:
    await add(world, order(1), order(2))
    async with world.uow() as uow:
        await world.orders(uow).lock(decided(order(1)))
        assert await overdue(world) == [2]
    assert set(await overdue(world)) == {1, 2}


async def test_overdue_orders_are_locked_so_that_replicas_share_them(world: World) -> None:
    await add(world, order(1), order(2))
    async with world.uow() as uow:
        (locked,) = await world.orders(uow).overdue(LATER, count_max=1)
        assert await overdue(world) == [2 if locked.id == order(1).id else 1]


async def test_an_order_that_a_parked_message_names_waits_for_the_operator(world: World) -> None:
    await add(world, order(1), order(2))
    parked = Unhandled(MessageId("s", "1"), "type", str(order(1).id), "reason", "detail", b"{}")
    async with world.uow() as uow:
        await world.parked(uow).add([parked])
    assert await overdue(world) == [2]


async def test_an_order_that_is_saved_twice_stays_as_it_was_saved_last(world: World) -> None:
    await add(world, order(1))
    async with world.uow() as uow:
        await world.orders(uow).save([order(1, status=Status.FINISHED)])
        await world.history(uow).add([changed(1, 1)])
        await world.orders(uow).save([order(1, status=Status.REFUNDING)])
        await world.history(uow).add([changed(1, 2)])
    assert await world.placed().get(order(1).id) == order(1, status=Status.REFUNDING)
    assert await world.history_rows() == [changed(1, 1), changed(1, 2)]


async def test_orders_that_are_written_together_fail_together(world: World) -> None:
    await add(world, order(1))
    await record(world, changed(1, 1))
    async with failing(Contention, world.uow()) as uow:
        await world.orders(uow).save([order(1, status=Status.FINISHED)])
        await world.history(uow).add([changed(1, 1)])
    assert await world.placed().get(order(1).id) == order(1)


async def test_a_rollback_undoes_a_save(world: World) -> None:
    await add(world, order(1))
    async with undone(world.uow()) as uow:
        await world.orders(uow).lock(decided(order(1)))
        await world.orders(uow).save([order(1, status=Status.FINISHED)])
    assert await world.placed().get(order(1).id) == order(1)


async def test_a_change_to_an_order_is_nothing_until_it_is_saved(world: World) -> None:
    given = order(1)
    await add(world, given)
    given.status = Status.FINISHED
    async with world.uow() as uow:
        (locked,) = (await world.orders(uow).lock(decided(order(1)))).values()
        locked.status = Status.FINISHED
    found = await world.placed().get(order(1).id)
    assert found == order(1)
    found.status = Status.FINISHED
    assert await world.placed().get(order(1).id) == order(1)
