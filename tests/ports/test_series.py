"""What every series of orders promises: the same figures whoever looks, from few rows."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from kernel.domain.ids import first_id
from orders.domain.series import Measured, Step, step_of
from orders.domain.status import Status, StatusChanged
from tests.ports.orders import add, order
from tests.ports.worlds import World, undone

START = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
END = START + timedelta(seconds=15)


def placed_at(at: datetime, random_end: int) -> UUID:
    return UUID(int=first_id(at).int + (7 << 76) + (2 << 62) + random_end)


async def place(world: World, at: datetime, random_end: int, decided_after_s: float | None = None) -> None:
    one = order(1, id=placed_at(at, random_end), created_at=at)
    await add(world, one)
    line = {"user_id": one.user_id, "order_id": one.id, "reason": None}
    lines = [StatusChanged(**line, sequence=1, status=Status.NEW, at=at)]
    if decided_after_s is not None:
        decided_at = at + timedelta(seconds=decided_after_s)
        lines.append(StatusChanged(**line, sequence=2, status=Status.FINISHED, at=decided_at))
    async with world.uow() as uow:
        await world.history(uow).add(lines)


async def measure(world: World, sample_max: int = 2000) -> Measured:
    measured = await world.measured().measure(START, END, sample_max=sample_max)
    return replace(measured, seconds=sorted(measured.seconds))


async def steps(world: World, since: datetime = START) -> list[Step]:
    async with world.uow() as uow:
        return list(await world.series(uow).since(since))


async def keep(world: World, *steps: Step) -> None:
    async with world.uow() as uow:
        await world.series(uow).keep(steps)


def step(after_s: float, orders: int = 0, start: datetime = START) -> Step:
    return step_of(start, Measured(orders, 0, []), start + timedelta(seconds=after_s))


async def test_a_step_has_the_orders_that_were_placed_in_it(world: World) -> None:
    ms = timedelta(milliseconds=1)
    for number, at in enumerate([START - ms, START, END - ms, END]):
        await place(world, at, number, 0.5)
    assert await measure(world) == Measured(2, 2, [0.5, 0.5])


async def test_a_step_without_orders_is_empty(world: World) -> None:
    assert await measure(world) == Measured(0, 0, [])


async def test_of_orders_that_are_not_decided_there_is_no_time(world: World) -> None:
    await place(world, START, 1)
    await place(world, START, 2, 0.25)
    assert await measure(world) == Measured(2, 2, [0.25])


async def test_clocks_that_differ_make_no_time_negative(world: World) -> None:
    await place(world, START, 1, -0.5)
    assert await measure(world) == Measured(1, 1, [0.0])


async def test_of_many_orders_those_are_looked_at_whose_random_ends_are_smallest(world: World) -> None:
    for number in range(6):
        at = START + timedelta(seconds=number)
        await place(world, at, 1000 - number, decided_after_s=number)
    assert await measure(world, sample_max=2) == Measured(6, 2, [4.0, 5.0])


async def test_steps_are_kept_for_all_in_the_order_of_time(world: World) -> None:
    later = START + timedelta(seconds=15)
    await keep(world, step(25, 2, later))
    await keep(world, step(25, 1))
    assert await steps(world) == [step(25, 1), step(25, 2, later)]
    assert await steps(world, later) == [step(25, 2, later)]


async def test_a_rollback_keeps_nothing(world: World) -> None:
    async with undone(world.uow()) as uow:
        await world.series(uow).keep([step(25)])
    assert await steps(world) == []


async def test_a_step_that_is_computed_again_takes_the_place_of_the_older_one(world: World) -> None:
    await keep(world, step(5, 1))
    await keep(world, step(10, 2))
    await keep(world, step(7, 3))
    assert await steps(world) == [step(10, 2)]


async def test_a_step_that_is_final_stays_as_it_is(world: World) -> None:
    await keep(world, step(25, 1))
    await keep(world, step(26, 2))
    assert await steps(world) == [step(25, 1)]


async def test_old_steps_are_pruned_the_oldest_first(world: World) -> None:
    starts = [START + timedelta(seconds=15 * number) for number in range(4)]
    await keep(world, *(step(25, 0, start) for start in starts[::-1]))

    async def prune(count_max: int) -> int:
        async with world.uow() as uow:
            return await world.series(uow).prune(before=starts[3], count_max=count_max)

    assert await prune(2) == 2
    assert [one.start for one in await steps(world)] == starts[2:]
    assert [await prune(2), await prune(2)] == [1, 0]
    assert [one.start for one in await steps(world)] == starts[3:]
