"""What every unit of work promises. The rows are claimed messages, and parked messages that are counted."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import BigInteger, bindparam, select, text
from sqlalchemy.pool import AsyncAdaptedQueuePool

from kernel.adapters.embedded.postgres import EmbeddedPostgres
from kernel.adapters.postgres.connections.engine import POOL_SIZE, connect_engine
from kernel.adapters.postgres.migrating.migrate import migrate
from kernel.domain.errors import Contention, OutcomeUnknown, Refused, Unavailable
from kernel.domain.events import MessageId, Unhandled
from kernel.ports.unit_of_work import UnitOfWork
from tests.memory.database import MemoryDatabase, Table, Transaction
from tests.ports.worlds import DEADLINE_S, MemoryWorld, Noted, PostgresWorld, World, ended, failing, undone

MESSAGE = MessageId("/shop/orders", "1")


async def claim(world: World, uow: UnitOfWork, message: MessageId = MESSAGE) -> bool:
    return await world.inbox(uow).claim_message(message)


async def claimed(world: World, message: MessageId = MESSAGE) -> bool:
    """In a transaction of its own: whether nobody has committed it before."""
    async with world.uow() as uow:
        return await claim(world, uow, message)


async def count(world: World, uow: UnitOfWork, subject: str) -> None:
    """Writes to the one row of the subject, which is locked then until the end of the transaction."""
    await world.parked(uow).add([Unhandled(MESSAGE, "noted", subject, "reason", "detail", b"")])


async def counted(world: World, *subjects: str) -> None:
    """In a transaction of its own, in this order."""
    async with world.uow() as uow:
        for subject in subjects:
            await count(world, uow, subject)


async def counts(world: World) -> dict[str, int]:
    return {row.subject: row.count for row in await world.parked_rows()}


async def test_what_a_block_did_is_there_when_it_has_ended(world: World) -> None:
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
async def test_nothing_of_a_block_that_raised_is_there_and_the_error_comes_out_as_it_was(
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


async def test_a_block_that_did_nothing_commits_nothing(world: World) -> None:
    async with world.uow():
        pass
    assert await counts(world) == {}


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


async def test_one_that_is_cancelled_while_it_waits_leaves_nothing_and_holds_nothing(world: World) -> None:
    async with world.uow() as uow:
        await count(world, uow, "b")
        cancelled = world.start(counted(world, "a", "b"))
        await world.blocked(cancelled)
        cancelled.cancel()
        await asyncio.wait([cancelled], timeout=DEADLINE_S)
        assert cancelled.cancelled()
        await ended(world.start(counted(world, "a")))
    assert await counts(world) == {"a": 1, "b": 1}


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


async def test_postgres_a_connection_that_the_server_ended_means_that_nothing_was_done(
    postgres: PostgresWorld,
) -> None:
    async with failing(Unavailable, postgres.uow()) as uow:
        await count(postgres, uow, "a")
        await end_connections(postgres.watcher)
        await count(postgres, uow, "b")
    await counted(postgres, "a")
    assert await counts(postgres) == {"a": 1}


async def test_postgres_one_who_waits_too_long_for_a_row_is_in_contention(postgres: PostgresWorld) -> None:
    await counted(postgres, "a")
    async with postgres.uow() as first:
        await count(postgres, first, "a")
        second = postgres.uow()
        async with failing(Contention, second):
            await second.transaction.execute(text("SET LOCAL lock_timeout = '10ms'"))
            await count(postgres, second, "a")


async def test_postgres_whoever_is_cancelled_leaves_no_transaction_behind(postgres: PostgresWorld) -> None:
    async def sleep() -> None:
        async with postgres.uow() as uow:
            await uow.transaction.execute(text("SELECT pg_sleep(30)"))

    sleeping = [asyncio.create_task(sleep()) for _ in range(POOL_SIZE)]
    active = f"{OF_THE_SHOP} AND query LIKE '%pg_sleep%' AND state = 'active'"
    await eventually(lambda: postgres.watcher.fetchval(active), POOL_SIZE)
    for task in sleeping:
        task.cancel()
    await asyncio.wait(sleeping)
    assert all(task.cancelled() for task in sleeping)
    assert checked_out(postgres) == 0
    for number in range(POOL_SIZE + 1):
        assert await claimed(postgres, MessageId("/shop/orders", str(number)))


async def test_postgres_whoever_is_cancelled_while_it_begins_leaves_no_transaction_behind(
    postgres: PostgresWorld,
) -> None:
    async def run() -> None:
        async with postgres.uow() as uow:
            await claim(postgres, uow)
            await asyncio.sleep(30)

    for turns in range(40):
        task = asyncio.create_task(run())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
    assert checked_out(postgres) == 0
    await eventually(lambda: postgres.watcher.fetchval(f"{OF_THE_SHOP} AND state LIKE 'idle in%'"), 0)
    async with asyncio.TaskGroup() as group:
        for number in range(POOL_SIZE):
            group.create_task(claimed(postgres, MessageId("/shop/orders", str(number))))


async def test_postgres_a_parameter_that_is_missing_is_an_error_and_no_null(postgres: PostgresWorld) -> None:
    async with failing(KeyError, postgres.uow()) as uow:
        await uow.transaction.execute(select(bindparam("amount", type_=BigInteger)))


def checked_out(postgres: PostgresWorld) -> int:
    pool = postgres.engine.pool
    assert isinstance(pool, AsyncAdaptedQueuePool)
    return pool.checkedout()


OF_THE_SHOP = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'shop'"
)


async def eventually(ask: Callable[[], Awaitable[int]], expected: int) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while await ask() != expected:
            await asyncio.sleep(0.005)


async def end_connections(watcher: asyncpg.Connection) -> None:
    await watcher.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'shop'"
    )


@pytest.fixture(scope="module")
def server(scratch: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(scratch / "ports-to-kill", database="orders") as server:
        yield server


@asynccontextmanager
async def watched(server: EmbeddedPostgres) -> AsyncIterator[asyncpg.Connection]:
    """A connection that may die with its server."""
    watcher = await asyncpg.connect(server.start())
    try:
        yield watcher
    finally:
        watcher.terminate()


@asynccontextmanager
async def world_of(server: EmbeddedPostgres) -> AsyncIterator[PostgresWorld]:
    """A world at the address that the server has now: an embedded one takes a new port each time."""
    async with watched(server) as watcher:
        engine = connect_engine(server.url)
        try:
            await migrate(server.url, "orders")
            yield PostgresWorld(engine, watcher)
        finally:
            await engine.dispose()


@pytest.fixture
async def doomed(server: EmbeddedPostgres) -> AsyncIterator[PostgresWorld]:
    async with world_of(server) as world:
        await world.clear()
        yield world


async def crash(server: EmbeddedPostgres, world: PostgresWorld) -> None:
    """The processes of its connections die with it; left alone, one could still commit in its last moment."""
    connections = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
    pids = [row["pid"] for row in await world.watcher.fetch(connections)]
    server.kill()
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


async def test_postgres_a_server_killed_before_the_end_of_the_block_has_done_nothing(
    server: EmbeddedPostgres, doomed: PostgresWorld
) -> None:
    async with failing(Unavailable, doomed.uow()) as uow:
        await claim(doomed, uow)
        await crash(server, doomed)
        await count(doomed, uow, "a")
    with pytest.raises(Unavailable):
        await claimed(doomed)
    async with world_of(server) as restarted:
        assert await claimed(restarted)


async def test_postgres_a_server_killed_before_the_commit_leaves_the_outcome_unknown(
    server: EmbeddedPostgres, doomed: PostgresWorld
) -> None:
    async with failing(OutcomeUnknown, doomed.uow()) as uow:
        await claim(doomed, uow)
        await crash(server, doomed)
    async with world_of(server) as restarted:
        assert await claimed(restarted)


@pytest.mark.parametrize("reading", [True, False], ids=["a commit", "a statement that is all there is"])
async def test_postgres_where_the_answer_is_lost_the_outcome_is_unknown_though_it_was_done(
    server: EmbeddedPostgres, doomed: PostgresWorld, reading: bool
) -> None:
    """It is on disk, and waits for the word of a standby that does not exist, when the server is killed."""
    woken: list[str] = []

    async def commit() -> None:
        async with doomed.uow() as uow:
            uow.after_commit(lambda: woken.append("a"))
            await doomed.outbox(uow).add([Noted(subject_id=UUID(int=1), traceparent="", type="a", text=b"1")])
            if reading:
                await claim(doomed, uow)

    await set_standby(doomed.watcher, "nobody")
    committing = doomed.start(commit())
    async with asyncio.timeout(DEADLINE_S):
        while await doomed.watcher.fetchval(WAITS_FOR_STANDBY) == 0:
            await asyncio.sleep(0.005)
    assert not committing.done()
    await crash(server, doomed)
    with pytest.raises(OutcomeUnknown):
        await ended(committing)
    async with watched(server) as watcher:
        await set_standby(watcher, "")
    async with world_of(server) as restarted, restarted.uow() as uow:
        assert await restarted.backlog(uow).waiting_since() is not None
    assert woken == []


WAITS_FOR_STANDBY = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


async def set_standby(watcher: asyncpg.Connection, name: str) -> None:
    await watcher.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
    await watcher.execute("SELECT pg_reload_conf()")
    async with asyncio.timeout(DEADLINE_S):
        while await watcher.fetchval("SHOW synchronous_standby_names") != name:
            await asyncio.sleep(0.005)


async def test_postgres_a_rollback_that_fails_does_not_hide_what_ended_the_transaction(
    postgres: PostgresWorld,
) -> None:
    """The consumer would take its error for the fault of an event, and park it."""

    async def loses_its_connection() -> None:
        async with postgres.uow() as uow:
            await claim(postgres, uow)
            await end_connections(postgres.watcher)
            raise Refused("reason", "what ended it")

    for _ in range(POOL_SIZE + 1):
        with pytest.raises(Refused):
            await loses_its_connection()
    assert await claimed(postgres)
