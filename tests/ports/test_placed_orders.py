"""What every reading of placed orders promises."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from kernel.domain.caller import ANYONE
from kernel.domain.errors import Contention
from orders.domain.commands import Placement
from orders.domain.order import Order
from orders.domain.status import Status
from tests.ports.orders import add, add_first, decided, order, there
from tests.ports.postgres_world import PostgresWorld
from tests.ports.worlds import World, ended, undone


def command(order: Order, **values: Any) -> Placement:
    placing = Placement(
        order_id=order.id,
        caller=ANYONE,
        user_id=order.user_id,
        amount=order.amount,
        description=order.description,
        idempotency_key=order.idempotency_key,
        traceparent="",
    )
    return replace(placing, **values)


async def test_a_users_own_orders_are_found_by_their_key_or_where_there_is_none_their_id_each_once(
    world: World,
) -> None:
    by_id, by_key = order(1), order(2, idempotency_key="two")
    await add(world, by_id, by_key, order(4, idempotency_key="four"), order(5))
    found = await world.placed().find(
        [
            command(by_id),
            command(by_id),
            command(by_key, order_id=UUID(int=9)),
            command(by_key),
            command(order(5), idempotency_key="unknown"),
            command(order(8)),
        ]
    )
    assert sorted(found, key=lambda order: order.id) == [by_id, by_key]
    for foreign in (order(1, "grace"), order(2, "grace", idempotency_key="two")):
        assert await world.placed().find([command(foreign)]) == []
    assert await world.placed().find([]) == []


async def test_twins_are_the_orders_with_the_keys_of_the_commands(world: World) -> None:
    await add(world, order(1, idempotency_key="one"), order(2), order(3, "grace", idempotency_key="three"))
    twin = command(order(9, idempotency_key="one"))
    others = [order(2), order(8, idempotency_key="free"), order(7, idempotency_key="three")]
    assert await world.placed().find_twins([command(other) for other in others]) == []
    assert await world.placed().find_twins([command(others[1]), twin, twin, command(others[0])]) == [
        order(1, idempotency_key="one")
    ]
    assert await world.placed().find_twins([]) == []
    await add(world, order(8, idempotency_key="free"))
    assert order(8).id in await there(world)


async def test_a_twin_that_is_just_being_placed_is_waited_for_and_found(world: World) -> None:
    first = order(1, idempotency_key="key")
    async with world.uow() as uow:
        await add_first(world, uow, first)
        twins = [command(order(number, idempotency_key="key")) for number in (2, 3)]
        finding = world.start(world.placed().find_twins([*twins, command(order(4, idempotency_key="free"))]))
        await world.blocked(finding)
    assert await ended(finding) == [first]


async def test_a_twin_that_is_given_up_was_never_there(world: World) -> None:
    async with undone(world.uow()) as uow:
        await add_first(world, uow, order(1, idempotency_key="key"))
        finding = world.start(world.placed().find_twins([command(order(2, idempotency_key="key"))]))
        await world.blocked(finding)
    assert await ended(finding) == []


async def test_a_twin_is_not_waited_for_for_ever(postgres: PostgresWorld) -> None:
    async with undone(postgres.uow()) as uow:
        await add_first(postgres, uow, order(1, idempotency_key="key"))
        with pytest.raises(Contention):
            await postgres.placed().find_twins([command(order(2, idempotency_key="key"))])


async def test_finding_and_adding_twins_in_opposite_orders_is_no_deadlock(world: World) -> None:
    one = [order(number, idempotency_key=key) for number, key in ((1, "a"), (2, "gate"), (3, "b"))]
    other = [order(number, idempotency_key=key) for number, key in ((4, "b"), (5, "gate"), (6, "a"))]
    async with undone(world.uow()) as uow:
        await add_first(world, uow, order(9, idempotency_key="gate"))
        finding = world.start(world.placed().find_twins([command(twin) for twin in one]))
        await world.blocked(finding)
        adding = world.start(add(world, *other))
        await world.blocked(finding, adding)
    assert await ended(finding) == []
    await ended(adding)
    assert await there(world) == [new.id for new in other]


async def test_reads_see_what_is_committed_now_and_wait_for_nobody(world: World) -> None:
    await add(world, order(1))
    async with world.uow() as uow:
        await world.orders(uow).lock(decided(order(1)))
        await world.orders(uow).save([order(1, status=Status.FINISHED)])
        await world.orders(uow).add([order(2)])
        assert await world.placed().get(order(1).id) == order(1)
        assert await world.placed().find([command(order(1)), command(order(2))]) == [order(1)]
        assert await world.placed().page(user_id=None, status=None, after=None, limit=10) == [order(1)]
    assert len(await world.placed().page(user_id=None, status=None, after=None, limit=10)) == 2


async def test_a_page_holds_the_oldest_first_after_the_given_id_within_the_limit(world: World) -> None:
    await add(world, *(order(number, user) for number, user in ((3, "a"), (1, "c"), (4, "b"), (2, "a"))))

    async def page(after: int | None, limit: int) -> list[int]:
        last = None if after is None else UUID(int=after)
        found = await world.placed().page(user_id=None, status=None, after=last, limit=limit)
        return [order.id.int for order in found]

    assert await page(None, 10) == [1, 2, 3, 4]
    assert await page(None, 3) == [1, 2, 3]
    assert await page(2, 10) == [3, 4]
    assert await page(2, 1) == [3]
    assert await page(4, 10) == []


async def test_a_page_can_be_of_one_user_and_of_one_status(world: World) -> None:
    await add(
        world,
        order(1),
        order(2, status=Status.FINISHED),
        order(3, "grace"),
        order(4, "grace", status=Status.FINISHED),
    )

    async def page(user_id: str | None, status: Status | None) -> list[int]:
        found = await world.placed().page(user_id=user_id, status=status, after=None, limit=10)
        return [order.id.int for order in found]

    assert await page("ada", None) == [1, 2]
    assert await page(None, Status.FINISHED) == [2, 4]
    assert await page("grace", Status.FINISHED) == [4]
    assert await page("nobody", None) == []


@pytest.mark.parametrize("user_id", [None, "ada"])
@pytest.mark.parametrize("status", [None, *Status])
async def test_pages_one_after_another_hold_every_order_that_matches_once(
    world: World, user_id: str | None, status: Status | None
) -> None:
    users, statuses = ("ada", "grace", "a"), (*Status, Status.FINISHED)
    orders = [order(n, users[n % 3], status=statuses[n // 3 % 6]) for n in range(1, 60)]
    await add(world, *orders)
    found: list[UUID] = []
    while page := await world.placed().page(
        user_id=user_id, status=status, after=found[-1] if found else None, limit=3
    ):
        found += [order.id for order in page]
    assert found == [
        order.id for order in orders if user_id in (None, order.user_id) and status in (None, order.status)
    ]
