"""A server that no longer takes writes is left at once, whatever it answers; what it confirmed is final.

The two hosts are servers with data of their own, so that a test sees which of them has answered.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.checks.schema import revision
from kernel.adapters.postgres.connections import engine as engines
from kernel.adapters.postgres.messages.figures import parked
from kernel.adapters.postgres.messages.inbox import PostgresInbox
from kernel.adapters.postgres.snapshot import snapshot
from kernel.adapters.postgres.statements.unit_of_work import PostgresUnitOfWork
from kernel.adapters.system_clock import SystemClock
from kernel.domain.errors import Unavailable
from kernel.domain.events import MessageId, Received
from tests.ports.pair import NAME, Pair, engine_of, name
from tests.ports.worlds import failing
from tests.servers.database import connected
from tests.servers.process import eventually

clock = SystemClock()


async def name_in_transaction(engine: AsyncEngine) -> str:
    async with PostgresUnitOfWork(engine) as uow:
        [(found,)] = await uow.transaction.execute(NAME)
    return str(found)


async def claim(engine: AsyncEngine, message: str) -> None:
    """A write that is one statement, without BEGIN and COMMIT."""
    async with PostgresUnitOfWork(engine) as uow:
        received: Any = Received(MessageId("/shop/orders", message), "type", None, b"", again=False)
        await PostgresInbox(uow, clock).claim([received])


WAYS: dict[str, Callable[[AsyncEngine], Awaitable[Any]]] = {
    "a read": name,
    "a transaction": name_in_transaction,
    "a write": lambda engine: claim(engine, str(clock.new_id())),
    "the revision, for a probe": revision,
    "figures": parked,
}


@pytest.mark.parametrize("way", WAYS)
async def test_whichever_way_it_is_noticed_nothing_more_is_asked_of_the_server(pair: Pair, way: str) -> None:
    act = WAYS[way]
    await act(pair.engine)
    await pair.a.has_connections(1)
    await pair.demote()
    try:
        await act(pair.engine)
    except Unavailable:
        assert way in ("a transaction", "a write"), "a read is tried once more"
    await pair.a.has_connections(0)
    await act(pair.engine)
    await pair.b.has_connections(1)


async def test_the_answer_of_a_server_that_takes_no_more_writes_is_not_given_out(pair: Pair) -> None:
    assert await name(pair.engine) == await name_in_transaction(pair.engine) == "A"
    await pair.demote()
    assert await name(pair.engine) == "B"
    await pair.a.read_only("off")
    await pair.b.read_only("on")
    with pytest.raises(Unavailable):
        await name_in_transaction(pair.engine)
    assert await name_in_transaction(pair.engine) == "A"


async def test_idle_connections_end_at_once_and_lent_ones_when_they_come_back(pair: Pair) -> None:
    async with failing(Unavailable, PostgresUnitOfWork(pair.engine)) as first:
        async with PostgresUnitOfWork(pair.engine), PostgresUnitOfWork(pair.engine):
            pass
        await pair.a.has_connections(3)
        await pair.demote()
        assert await name(pair.engine) == "B"
        await pair.a.has_connections(1)
        await first.transaction.execute(NAME)
    await pair.a.has_connections(0)


async def test_a_transaction_that_was_begun_before_still_commits(pair: Pair) -> None:
    async with PostgresUnitOfWork(pair.engine) as uow:
        await uow.transaction.execute(NAME)
        await pair.demote()
    await pair.a.has_connections(0)


async def test_a_statement_that_is_all_there_is_stands_though_it_ended_after_the_demotion(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(engines.SERVER_SETTINGS, "lock_timeout", "4s")
    blocked = "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    async with engine_of(pair.url) as engine, connected(pair.a.url) as other:
        transaction = other.transaction()
        await transaction.start()
        await other.execute("INSERT INTO inbox VALUES ('/shop/orders', 'contended', now())")
        claiming = asyncio.create_task(claim(engine, "contended"))
        await eventually(lambda: pair.a.watcher.fetchval(blocked))
        await pair.demote()
        await transaction.rollback()
        await claiming
        assert await other.fetchval("SELECT count(*) FROM inbox WHERE event_id = 'contended'") == 1
        await pair.a.has_connections(0)


async def test_nothing_is_committed_once_another_connection_has_noticed_the_demotion(pair: Pair) -> None:
    async with failing(Unavailable, PostgresUnitOfWork(pair.engine)) as uow:
        await uow.transaction.execute(NAME)
        await pair.demote()
        assert await name(pair.engine) == "B"
    await pair.a.has_connections(0)


async def test_the_database_is_away_until_a_host_takes_writes(
    pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    assert await name(pair.engine) == "A"
    await pair.demote()
    await pair.b.read_only("on")
    for way in WAYS.values():
        with pytest.raises(Unavailable):
            await way(pair.engine)
    assert "the database away: no host takes writes" in caplog.messages
    await pair.b.read_only("off")
    for way in WAYS.values():
        await way(pair.engine)
    await pair.a.has_connections(0)


async def test_a_single_host_is_under_the_same_rule(pair: Pair) -> None:
    async with engine_of(pair.a.cable.url) as engine:
        await name(engine)
        await pair.demote()
        with pytest.raises(Unavailable):
            await name(engine)
        await pair.a.has_connections(0)
        await pair.a.read_only("off")
        assert await name(engine) == "A"


async def test_a_server_that_refuses_a_write_is_left_though_it_reported_nothing(pair: Pair) -> None:
    """A server before version 14 reports nothing, nor does one behind a pooler."""
    async with failing(Unavailable, PostgresUnitOfWork(pair.engine)) as uow:
        await uow.transaction.execute(text("SET TRANSACTION READ ONLY"))
        await PostgresInbox(uow, clock).claim_message(MessageId("/shop/orders", "refused"))
    await pair.a.has_connections(0)


async def test_an_audit_of_a_database_that_moved_meanwhile_says_so(pair: Pair) -> None:
    async def audit() -> None:
        async with snapshot(pair.url) as database:
            await database.row("SELECT now()")
            await pair.demote()

    with pytest.raises(Unavailable, match="run it again"):
        await audit()
    async with snapshot(pair.url) as database:
        assert (await database.row("SELECT current_setting('cluster_name')"))[0] == "B"


async def test_a_server_that_is_silent_on_one_connection_is_left_with_all(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "COMMAND_TIMEOUT_S", 0.3)
    monkeypatch.setattr(engines, "CONNECT_TIMEOUT_S", 0.6)
    async with engine_of(pair.url) as engine:
        async with PostgresUnitOfWork(engine), PostgresUnitOfWork(engine), PostgresUnitOfWork(engine):
            pass
        async with pair.a.cable.stalled():
            assert await name(engine) == "B"
            assert await name_in_transaction(engine) == "B"


async def test_when_another_host_has_taken_over_the_former_is_left_though_it_did_not_say_so(
    pair: Pair,
) -> None:
    async with failing(Unavailable, PostgresUnitOfWork(pair.engine)) as uow:
        await uow.transaction.execute(NAME)
        pair.a.cable.lead_to("postgresql://127.0.0.1:1/nowhere")
        assert await name(pair.engine) == "B"
        await uow.transaction.execute(NAME)
    await pair.a.has_connections(0)
