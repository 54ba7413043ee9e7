"""What a unit of work promises of PostgreSQL: servers that die, clients that leave."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import BigInteger, bindparam, select, text

from kernel.adapters.embedded.postgres import EmbeddedPostgres
from kernel.adapters.postgres.connections.engine import POOL_SIZE
from kernel.adapters.postgres.connections.pool import pool_of
from kernel.adapters.postgres.migrating.migrate import migrate
from kernel.domain.errors import Contention, OutcomeUnknown, Refused, Unavailable
from kernel.domain.events import MessageId
from tests.ports.claims import claim, claimed, count, counted, counts
from tests.ports.pair import engine_of
from tests.ports.postgres_world import PostgresWorld
from tests.ports.worlds import DEADLINE_S, Noted, ended, failing
from tests.servers.database import alter_system
from tests.servers.postgres import crash
from tests.servers.process import eventually


async def test_postgres_a_connection_that_the_server_ended_means_that_nothing_was_done(
    postgres: PostgresWorld,
) -> None:
    async with failing(Unavailable, postgres.uow()) as uow:
        await count(postgres, uow, "a")
        await end_connections(postgres.watcher)
        await count(postgres, uow, "b")
    await counted(postgres, "a")
    assert await counts(postgres) == {"a": 1}


async def test_postgres_a_block_that_waits_too_long_for_a_row_is_in_contention(
    postgres: PostgresWorld,
) -> None:
    await counted(postgres, "a")
    async with postgres.uow() as first:
        await count(postgres, first, "a")
        second = postgres.uow()
        async with failing(Contention, second):
            await second.transaction.execute(text("SET LOCAL lock_timeout = '10ms'"))
            await count(postgres, second, "a")


async def test_postgres_a_cancelled_block_leaves_no_transaction_behind(postgres: PostgresWorld) -> None:
    async def sleep() -> None:
        async with postgres.uow() as uow:
            await uow.transaction.execute(text("SELECT pg_sleep(30)"))

    sleeping = [asyncio.create_task(sleep()) for _ in range(POOL_SIZE)]
    active = f"{OF_THE_SHOP} AND query LIKE '%pg_sleep%' AND state = 'active'"
    await eventually(lambda: has_counted(postgres, active, POOL_SIZE))
    for task in sleeping:
        task.cancel()
    await asyncio.wait(sleeping)
    assert all(task.cancelled() for task in sleeping)
    assert pool_of(postgres.engine).checkedout() == 0
    for number in range(POOL_SIZE + 1):
        assert await claimed(postgres, MessageId("/shop/orders", str(number)))


async def test_postgres_a_cancelled_block_gives_up_its_locks_though_its_statement_would_wait_for_ever(
    postgres: PostgresWorld,
) -> None:
    async def wait() -> None:
        async with postgres.uow() as uow:
            await uow.transaction.execute(text("SET LOCAL lock_timeout = 0"))
            await uow.transaction.execute(text("SET LOCAL statement_timeout = 0"))
            await count(postgres, uow, "a")
            await count(postgres, uow, "b")

    async with postgres.uow() as first:
        await count(postgres, first, "b")
        waiting = postgres.start(wait())
        await postgres.blocked(waiting)
        waiting.cancel()
        await asyncio.wait([waiting], timeout=DEADLINE_S)
        await ended(postgres.start(counted(postgres, "a")))
    assert await counts(postgres) == {"a": 1, "b": 1}


async def test_postgres_a_connection_at_hand_is_lent_without_a_greenlet_and_no_other_is(
    postgres: PostgresWorld,
) -> None:
    pool = pool_of(postgres.engine)
    await counted(postgres, "a")
    lent = list(iter(pool.at_hand, None))
    assert lent
    assert pool.at_hand() is None
    for connection in lent:
        connection.invalidate()
        connection.close()
    assert pool.at_hand() is None
    await counted(postgres, "a")
    assert await counts(postgres) == {"a": 2}
    assert pool.checkedout() == 0


async def test_postgres_a_block_that_is_cancelled_while_it_begins_leaves_no_transaction_behind(
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
    assert pool_of(postgres.engine).checkedout() == 0
    in_transaction = f"{OF_THE_SHOP} AND state LIKE 'idle in%'"
    await eventually(lambda: has_counted(postgres, in_transaction, 0))
    async with asyncio.TaskGroup() as group:
        for number in range(POOL_SIZE):
            group.create_task(claimed(postgres, MessageId("/shop/orders", str(number))))


async def test_postgres_a_parameter_that_is_missing_is_an_error_and_no_null(postgres: PostgresWorld) -> None:
    async with failing(KeyError, postgres.uow()) as uow:
        await uow.transaction.execute(select(bindparam("amount", type_=BigInteger)))


async def has_counted(world: PostgresWorld, query: str, expected: int) -> bool:
    return bool(await world.watcher.fetchval(query) == expected)


OF_THE_SHOP = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'shop'"
)


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
    async with watched(server) as watcher, engine_of(server.url) as engine:
        await migrate(server.url, "orders")
        yield PostgresWorld(engine, watcher, server.url)


@pytest.fixture
async def doomed(server: EmbeddedPostgres) -> AsyncIterator[PostgresWorld]:
    async with world_of(server) as world:
        await world.clear()
        yield world


async def crash_with_connections(server: EmbeddedPostgres, world: PostgresWorld) -> None:
    """The processes of its connections die with it; left alone, one could still commit in its last moment."""
    connections = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
    pids = [row["pid"] for row in await world.watcher.fetch(connections)]
    crash(server)
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


async def test_postgres_a_server_killed_before_the_end_of_the_block_has_done_nothing(
    server: EmbeddedPostgres, doomed: PostgresWorld
) -> None:
    async with failing(Unavailable, doomed.uow()) as uow:
        await claim(doomed, uow)
        await crash_with_connections(server, doomed)
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
        await crash_with_connections(server, doomed)
    async with world_of(server) as restarted:
        assert await claimed(restarted)


@pytest.mark.parametrize("reading", [True, False], ids=["a commit", "a statement that is all there is"])
async def test_postgres_the_outcome_is_unknown_where_the_answer_is_lost_though_it_was_done(
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

    await alter_system(doomed.watcher, STANDBYS, "nobody")
    committing = doomed.start(commit())
    await eventually(lambda: doomed.watcher.fetchval(WAITS_FOR_STANDBY), every=0.005)
    assert not committing.done()
    await crash_with_connections(server, doomed)
    with pytest.raises(OutcomeUnknown):
        await ended(committing)
    async with watched(server) as watcher:
        await alter_system(watcher, STANDBYS, "")
    async with world_of(server) as restarted, restarted.uow() as uow:
        assert await restarted.backlog(uow).waiting_since() is not None
    assert woken == []


STANDBYS = "synchronous_standby_names"
WAITS_FOR_STANDBY = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


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
