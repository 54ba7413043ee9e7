"""What holds up a service as a whole, read from the server: who holds its locks, and whether it is there."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine
from yarl import URL

from kernel.adapters.postgres.connections.engine import connect_engine
from kernel.adapters.postgres.messages.facts import PostgresMessagingFacts
from kernel.adapters.postgres.messages.holders import LASTING, Holder, Holders
from kernel.domain.facts import Fact, Part, What
from orders.adapters.outbound.tables import SCHEMA
from tests.ports.pair import engine_of
from tests.ports.postgres_world import PostgresWorld
from tests.servers.database import connected
from tests.servers.process import eventually

TABLES = ["orders", "outbox", "inbox"]
ADDS = "INSERT INTO outbox VALUES ('held', gen_random_uuid(), '', 1)"
SUBJECT = UUID(int=7)
OF_THE_SERVER = (What.BLOCKED, What.NOT_RUNNING, What.NAMELESS)


@asynccontextmanager
async def session(url: str, name: str, *statements: str) -> AsyncIterator[asyncpg.Connection]:
    """In a transaction that has done these statements, which ends as if they were never done."""
    async with connected(url, application_name=name) as connection:
        await connection.execute("BEGIN")
        for statement in statements:
            await connection.execute(statement)
        yield connection


@asynccontextmanager
async def onlooker(world: PostgresWorld) -> AsyncIterator[AsyncEngine]:
    """An engine with a role that sees no states and times of others' sessions, and owns nothing."""
    await world.watcher.execute("DROP ROLE IF EXISTS onlooker")
    await world.watcher.execute("CREATE ROLE onlooker LOGIN PASSWORD 'o'")
    try:
        async with engine_of(str(URL(world.url).with_user("onlooker").with_password("o"))) as engine:
            yield engine
    finally:
        await world.watcher.execute("DROP ROLE onlooker")


def names(found: list[Holder]) -> set[str]:
    return {holder.name for holder in found}


async def found_by(holders: Holders, wanted: set[str]) -> list[Holder]:
    found: list[Holder] = []

    async def all_are() -> bool:
        nonlocal found
        found = await holders.find()
        return names(found) == wanted

    await eventually(all_are, within=20)
    return found


async def test_a_session_that_holds_tables_or_rows_for_long_is_named_though_nobody_waits(
    postgres: PostgresWorld,
) -> None:
    holders = Holders(postgres.engine, TABLES, None)
    url = postgres.url
    async with (
        session(url, "report", "LOCK TABLE inbox IN SHARE MODE") as report,
        session(url, "clerk", ADDS) as clerk,
        session(url, "a reader", "SELECT FROM outbox"),
        session(url, "beside", "LOCK TABLE operator_record IN ACCESS EXCLUSIVE MODE"),
        session(url, "a migrator", "SET lock_timeout = 0") as migrator,
    ):
        found = {holder.name: holder for holder in await found_by(holders, {"report", "clerk"})}
        since = await postgres.watcher.fetchval(
            "SELECT xact_start FROM pg_stat_activity WHERE pid = $1", report.get_server_pid()
        )
        one = found["report"]
        assert (one.pid, one.state, one.since) == (report.get_server_pid(), "idle in transaction", since)
        assert (one.tables, one.rows, found["clerk"].rows) == ("ShareLock on inbox", None, "outbox")
        assert f"pid {report.get_server_pid()} (report, user {one.user}), idle in tr" in str(one)
        assert f"since {since:%Y-%m-%d %H:%M:%SZ}, holds ShareLock on inbox" in str(one)
        assert found["clerk"].pid == clerk.get_server_pid()
        # A session that comes after it queues behind it too.
        queueing = postgres.start(migrator.execute("LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE"))
        (last,) = [
            holder
            for holder in await found_by(holders, {"report", "clerk", "a migrator"})
            if holder.name == "a migrator"
        ]
        assert (last.tables, last.asked) == (None, "AccessExclusiveLock on inbox")
        report.terminate()
        await queueing
    assert await holders.find() == []


async def test_a_session_that_others_wait_for_is_named_however_young_its_transaction_is(
    postgres: PostgresWorld,
) -> None:
    async with (
        session(postgres.url, "report", "LOCK TABLE inbox IN SHARE MODE"),
        session(postgres.url, "shop") as service,
    ):
        waiting = postgres.start(service.execute("DELETE FROM inbox"))
        await postgres.blocked(waiting)
        (holder,) = await Holders(postgres.engine, TABLES, "shop").find()
        assert (holder.name, holder.waited_for) == ("report", True)
        waiting.cancel()


async def test_a_relay_of_the_service_that_waits_for_a_confirmation_holds_up_nobody(
    postgres: PostgresWorld,
) -> None:
    takes = f"{ADDS} RETURNING id"
    both = session(postgres.url, "shop", ADDS), session(postgres.url, "shop", ADDS, "DELETE FROM inbox")
    async with onlooker(postgres) as engine, both[0], both[1] as other, session(postgres.url, "till", takes):
        for asks in (postgres.engine, engine):
            found = await found_by(Holders(asks, TABLES, "shop"), {"shop", "till"})
            assert {one.pid for one in found if one.name == "shop"} == {other.get_server_pid()}


async def test_a_role_that_may_not_see_ages_looks_twice_and_says_so(postgres: PostgresWorld) -> None:
    async with onlooker(postgres) as engine, session(postgres.url, "clerk", ADDS) as clerk:
        (holder,) = await Holders(engine, TABLES, "shop").find()
        assert (holder.pid, holder.name, holder.rows) == (clerk.get_server_pid(), "clerk", "outbox")
        assert (holder.state, holder.since) == (None, None)
        assert "pg_read_all_stats" in str(holder)
        facts = PostgresMessagingFacts(engine, SCHEMA, "shop")
        (fact,) = of_the_server(await facts.about(SUBJECT), What.BLOCKED)
        assert fact.seen
    assert LASTING.total_seconds() < 5, "as long as the gateway waits for an answer"


def of_the_server(part: Part, *whats: What) -> list[Fact]:
    return [fact for fact in part.facts if fact.what in whats]


async def test_only_sessions_that_bear_the_name_of_the_service_are_its_own(postgres: PostgresWorld) -> None:
    await postgres.engine.dispose()

    async def is_told(engine: AsyncEngine, *whats: What) -> Callable[[], Any]:
        facts = PostgresMessagingFacts(engine, SCHEMA, "till")

        async def told() -> bool:
            found = of_the_server(await facts.about(SUBJECT), What.NOT_RUNNING, What.NAMELESS)
            assert all(fact.seen for fact in found)
            return [fact.what for fact in found] == list(whats)

        return told

    console = connect_engine(f"{postgres.url}?application_name=till", "shop console")
    await postgres.watcher.execute("SET application_name = 'watcher'")
    try:
        async with onlooker(postgres) as other:
            for engine in (console, other):
                await eventually(await is_told(engine, What.NOT_RUNNING), within=10)
                async with session(postgres.url, "till"):
                    await eventually(await is_told(engine), within=10)
                async with session(postgres.url, ""):
                    await eventually(await is_told(engine, What.NAMELESS), within=10)
    finally:
        await console.dispose()
        await postgres.watcher.execute("RESET application_name")


async def test_a_locked_table_hides_nothing_but_itself(postgres: PostgresWorld) -> None:
    locked = "LOCK TABLE parked_messages, outbox IN ACCESS EXCLUSIVE MODE"
    async with session(postgres.url, "report", locked):
        facts = PostgresMessagingFacts(postgres.engine, SCHEMA)

        async def is_seen() -> bool:
            part = await facts.about(SUBJECT)
            assert part.unread == ["outbox: the database is busy", "parked_messages: the database is busy"]
            return len(of_the_server(part, What.BLOCKED)) == 1

        await eventually(is_seen, within=10)
