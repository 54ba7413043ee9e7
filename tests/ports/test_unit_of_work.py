"""What every unit of work promises; the rows here are claimed messages and counts of parked ones."""

import asyncio

import pytest

from kernel.domain.errors import Contention, Refused, Unavailable
from tests.ports.claims import claim, claimed, count, counted, counts
from tests.ports.worlds import DEADLINE_S, World, ended, undone


async def test_the_work_of_a_block_is_there_when_it_has_ended(world: World) -> None:
    async with world.uow() as uow:
        assert await claim(world, uow)
        await count(world, uow, "a")
    assert not await claimed(world)
    assert await counts(world) == {"a": 1}


@pytest.mark.parametrize(
    "error",
    [
        ValueError("a bug"),
        Refused("insufficient_funds", "no"),
        Unavailable("the bus is away", code="bus_unavailable"),
        Contention("lost"),
        asyncio.CancelledError(),
        KeyboardInterrupt(),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_block_that_raised_leaves_nothing_and_its_error_comes_out_as_it_was(
    world: World, error: BaseException
) -> None:
    async def fail() -> BaseException:
        try:
            async with world.uow() as uow:
                await claim(world, uow)
                await count(world, uow, "a")
                raise error
        except BaseException as raised:
            return raised

    assert await fail() is error
    assert await counts(world) == {}
    assert await claimed(world)


async def test_a_unit_of_work_serves_one_transaction_after_the_other(world: World) -> None:
    uow = world.uow()
    async with undone(uow):
        await count(world, uow, "a")
    async with uow:
        await count(world, uow, "a")
    async with uow:
        await count(world, uow, "a")
    assert await counts(world) == {"a": 2}


async def test_others_see_nothing_before_the_commit_and_a_later_statement_sees_it_after(world: World) -> None:
    async with world.uow() as reader:
        async with world.uow() as writer:
            await world.outbox(writer).add([])
            await count(world, writer, "a")
            assert await counts(world) == {}
        assert await counts(world) == {"a": 1}
        await count(world, reader, "a")
    assert await counts(world) == {"a": 2}


async def test_a_second_writer_of_a_row_waits_for_the_first_and_loses_nothing(world: World) -> None:
    await counted(world, "a")
    async with world.uow() as uow:
        await count(world, uow, "a")
        second = world.start(counted(world, "a"))
        await world.blocked(second)
        assert await counts(world) == {"a": 1}
    await ended(second)
    assert await counts(world) == {"a": 3}


async def test_a_second_writer_goes_on_when_the_first_rolls_back(world: World) -> None:
    await counted(world, "a")
    async with undone(world.uow()) as uow:
        await count(world, uow, "a")
        second = world.start(counted(world, "a"))
        await world.blocked(second)
    await ended(second)
    assert await counts(world) == {"a": 2}


async def test_writers_of_different_rows_do_not_wait_for_each_other(world: World) -> None:
    async with world.uow() as uow:
        await count(world, uow, "a")
        await ended(world.start(counted(world, "b")))
    assert await counts(world) == {"a": 1, "b": 1}


async def test_of_two_that_wait_for_each_other_one_ends_in_contention_and_the_other_commits(
    world: World,
) -> None:
    await counted(world, "a", "b")
    both_hold_one = asyncio.Barrier(2)

    async def act(first: str, second: str) -> None:
        async with world.uow() as uow:
            await count(world, uow, first)
            await both_hold_one.wait()
            await count(world, uow, second)

    async with asyncio.timeout(DEADLINE_S):
        outcomes = await asyncio.gather(act("a", "b"), act("b", "a"), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Contention", "NoneType"]
    assert await counts(world) == {"a": 2, "b": 2}


async def test_a_block_that_is_cancelled_while_it_waits_leaves_nothing_and_holds_nothing(
    world: World,
) -> None:
    async with world.uow() as uow:
        await count(world, uow, "b")
        cancelled = world.start(counted(world, "a", "b"))
        await world.blocked(cancelled)
        cancelled.cancel()
        await asyncio.wait([cancelled], timeout=DEADLINE_S)
        assert cancelled.cancelled()
        await ended(world.start(counted(world, "a")))
    assert await counts(world) == {"a": 1, "b": 1}
