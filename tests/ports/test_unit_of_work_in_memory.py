"""What a unit of work promises in memory alone."""

import asyncio

import pytest

from kernel.domain.errors import Unavailable
from tests.memory.database import MemoryDatabase, Table, Transaction
from tests.ports.claims import count, counted, counts
from tests.ports.memory_world import MemoryWorld
from tests.ports.worlds import ended


async def test_in_memory_those_who_wait_for_a_row_get_it_in_turn(memory: MemoryWorld) -> None:
    order: list[str] = []

    async def act(name: str) -> None:
        async with memory.uow() as uow:
            await count(memory, uow, "a")
            order.append(name)

    async with memory.uow() as uow:
        await count(memory, uow, "a")
        waiting = [memory.start(act(name)) for name in "1234"]
        await memory.blocked(*waiting)
        waiting[1].cancel()
    latecomer = memory.start(act("late"))
    await asyncio.wait([*waiting, latecomer])
    assert order == ["1", "3", "4", "late"]


async def test_in_memory_a_longer_circle_of_waiting_ends_in_contention_too(memory: MemoryWorld) -> None:
    all_hold_one = asyncio.Barrier(3)

    async def act(first: str, second: str) -> None:
        async with memory.uow() as uow:
            await count(memory, uow, first)
            await all_hold_one.wait()
            await count(memory, uow, second)

    outcomes = await asyncio.gather(act("a", "b"), act("b", "c"), act("c", "a"), return_exceptions=True)
    assert [type(outcome).__name__ for outcome in outcomes].count("Contention") == 1
    assert sum((await counts(memory)).values()) == 4
    assert memory.database.locks == {}


async def test_in_memory_the_transaction_of_one_that_died_is_rolled_back_from_outside(
    memory: MemoryWorld,
) -> None:
    await counted(memory, "a")
    dead = memory.uow()
    await dead.__aenter__()
    await count(memory, dead, "a")
    waiting = memory.start(counted(memory, "a"))
    await memory.blocked(waiting)
    dead.transaction.rollback()
    await ended(waiting)
    with pytest.raises(Unavailable):
        await count(memory, dead, "a")
    assert await counts(memory) == {"a": 2}


async def test_in_memory_one_that_died_while_it_waited_is_out_of_the_queue(memory: MemoryWorld) -> None:
    dead = memory.uow()
    async with memory.uow() as uow:
        await count(memory, uow, "b")
        await dead.__aenter__()
        await count(memory, dead, "a")
        waiting = memory.start(count(memory, dead, "b"))
        await memory.blocked(waiting)
        dead.transaction.rollback()
        await ended(memory.start(counted(memory, "a")))
    await counted(memory, "b")
    assert waiting.cancelled()
    assert await counts(memory) == {"a": 1, "b": 2}
    assert memory.database.locks == {}


async def test_in_memory_a_coroutine_that_is_thrown_away_rolls_back(memory: MemoryWorld) -> None:
    async def act() -> None:
        async with memory.uow() as uow:
            await count(memory, uow, "a")
            await asyncio.sleep(0)

    abandoned = act()
    abandoned.send(None)
    assert memory.database.locks != {}
    abandoned.close()
    assert memory.database.locks == {}
    assert await counts(memory) == {}


async def test_in_memory_an_append_only_table_refuses_changes() -> None:
    log = Table[str]({"text": lambda text: text}, append_only=True)
    transaction = Transaction(MemoryDatabase())
    await transaction.insert(log, "a")
    with pytest.raises(TypeError):
        await transaction.update(log, "a", str.upper)
    with pytest.raises(TypeError):
        await transaction.delete(log, "a")


async def test_in_memory_adding_a_row_waits_for_one_who_deletes_its_like(memory: MemoryWorld) -> None:
    table = Table[str]({"text": lambda text: text})

    async def insert() -> bool:
        transaction = Transaction(memory.database)
        return await transaction.try_insert(table, "a")

    first = Transaction(memory.database)
    await first.insert(table, "a")
    first.commit()
    second = Transaction(memory.database)
    await second.delete(table, "a")
    waiting = memory.start(insert())
    await memory.blocked(waiting)
    second.commit()
    assert await ended(waiting)
