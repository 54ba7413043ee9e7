"""What every history of orders promises."""

from dataclasses import replace
from uuid import UUID

import pytest

from kernel.domain.errors import Contention
from orders.domain.status import Status
from tests.ports.orders import add, cancel, changed, order, record
from tests.ports.worlds import World, ended, undone


async def test_the_history_keeps_every_status(world: World) -> None:
    await record(world, changed(2, 1), changed(1, 2), changed(1, 1))
    await record(world, changed(2, 2), changed(2, 1, "grace"))
    await record(world)
    assert await world.history_rows() == [
        changed(1, 1),
        changed(1, 2),
        changed(2, 1),
        changed(2, 2),
        changed(2, 1, "grace"),
    ]


async def test_a_place_in_the_history_is_given_once(world: World) -> None:
    await record(world, changed(1, 1))
    with pytest.raises(Contention):
        await record(world, changed(2, 1), changed(1, 1))
    assert await world.history_rows() == [changed(1, 1)]


async def test_of_two_that_want_one_place_in_the_history_the_second_waits_and_loses(world: World) -> None:
    async with world.uow() as uow:
        await world.history(uow).add([changed(1, 1)])
        await world.history(uow).add([changed(2, 1)])  # Before it, the first is written.
        second = world.start(record(world, changed(1, 1)))
        await world.blocked(second)
    with pytest.raises(Contention):
        await ended(second)


async def test_a_rollback_leaves_nothing_in_the_history(world: World) -> None:
    async with undone(world.uow()) as uow:
        await world.history(uow).add([changed(1, 1)])
    assert await world.history_rows() == []


async def test_the_history_of_an_order_is_read_oldest_first_from_a_place_on(world: World) -> None:
    await add(world, order(1), order(2))
    await record(world, changed(1, 2), changed(2, 1), changed(1, 1))
    changes = [changed(1, 1), changed(1, 2)]
    for after, expected in ((0, changes), (1, changes[1:]), (2, []), (2**63 - 1, [])):
        assert await world.placed().history(UUID(int=1), after=after) == expected
    assert await world.placed().history(UUID(int=3), after=0) == []


async def test_the_status_histories_of_orders_show_each_as_it_was_after_each_change(world: World) -> None:
    await add(world, order(1), order(2, "bob"), order(3))
    await record(world, changed(1, 1), changed(2, 1, "bob"), changed(2, 2, "bob"), changed(3, 1))
    await cancel(world, order(2, "bob"))
    status_histories = await world.placed().status_histories([UUID(int=2), UUID(int=1), UUID(int=9)])
    cancelled = order(2, "bob", status=Status.CANCELLED, reason="reason")
    assert {id: list(status_history) for id, status_history in status_histories.items()} == {
        UUID(int=1): [order(1)],
        UUID(int=2): [replace(cancelled, status=Status.NEW, reason=None), cancelled],
    }
