"""A database that refuses: calls wait their turn or get Unavailable, and the log names the refusal once, with
its SQLSTATE and in the server's words."""

import asyncio
import re
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import asyncpg
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.connections.failures import refusal
from kernel.adapters.postgres.connections.pool import pool_of
from kernel.adapters.postgres.statements.unit_of_work import PostgresUnitOfWork
from kernel.domain.errors import Contention, Unavailable
from tests.ports.pair import engine_of
from tests.ports.postgres_world import PostgresWorld
from tests.ports.test_outbox import add, noted
from tests.ports.worlds import ended
from tests.servers.database import refusing
from tests.servers.postgres import create_database
from tests.servers.process import eventually

_WORK = select(func.pg_backend_pid(), func.pg_sleep(0.01))
ROLE = "poor"
CONNECTIONS_MAX = 3


@pytest.fixture
async def poor(postgres: PostgresWorld, postgres_server: str) -> AsyncIterator[str]:
    """The URL of the orders for a role that may have few connections."""
    server = urlsplit(postgres_server)
    await postgres.watcher.execute(
        f"CREATE ROLE {ROLE} LOGIN PASSWORD 'secret' CONNECTION LIMIT {CONNECTIONS_MAX}"
    )
    yield server._replace(netloc=f"{ROLE}:secret@{server.hostname}:{server.port}", path="/orders").geturl()
    await postgres.watcher.execute(f"DROP OWNED BY {ROLE}")
    await postgres.watcher.execute(f"DROP ROLE {ROLE}")


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    assert not any(record.exc_info for record in caplog.records)
    return [record.getMessage() for record in caplog.records if record.name.startswith("kernel")]


async def work(engine: AsyncEngine) -> int:
    async with PostgresUnitOfWork(engine) as uow:
        [(pid, _)] = await uow.transaction.execute(_WORK)
        return int(pid)


async def test_calls_wait_their_turn_where_the_server_gives_fewer_connections_than_the_pool_may_have(
    poor: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with engine_of(poor) as engine:
        served_by = await asyncio.gather(*(work(engine) for _ in range(60)))
        assert len(set(served_by)) <= CONNECTIONS_MAX
        assert pool_of(engine).trouble.lasts
    [line] = said(caplog)
    assert line == f'the database refuses: 53300 too many connections for role "{ROLE}"'


async def test_a_call_waits_for_the_server_to_give_a_connection_where_others_have_them_all(poor: str) -> None:
    async with engine_of(poor) as engine, engine_of(poor) as others:
        held = [await others.raw_connection() for _ in range(CONNECTIONS_MAX)]
        waiting = asyncio.create_task(work(engine))
        await eventually(lambda: pool_of(engine).trouble.lasts, every=0.01)
        assert not waiting.done()
        held.pop().invalidate()
        assert await ended(waiting)
        for connection in held:
            connection.close()


async def test_a_call_that_is_given_no_connection_in_time_may_come_again(
    poor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kernel.adapters.postgres.connections.pool.FULL_S", 0.05)
    monkeypatch.setattr("kernel.adapters.postgres.connections.engine.CONNECT_TIMEOUT_S", 0.2)
    async with engine_of(poor) as engine, engine_of(poor) as others:
        held = [await others.raw_connection() for _ in range(CONNECTIONS_MAX)]
        with pytest.raises(Unavailable, match="refuses"):
            await work(engine)
        for connection in held:
            connection.close()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"path": "/nowhere"}, 'refuses: 3D000 database "nowhere" does not exist'),
        ({"netloc": "stranger"}, 'refuses: 28P01 password authentication failed for user "stranger"'),
        ({"netloc": "nologin"}, 'refuses: 28000 role "nologin" is not permitted to log in'),
    ],
    ids=["no database", "no role", "no login"],
)
async def test_a_role_that_may_not_connect_is_refused_and_the_log_says_so_once(
    postgres: PostgresWorld,
    postgres_server: str,
    change: dict[str, str],
    words: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = urlsplit(postgres_server)
    netloc = (
        f"{change['netloc']}:secret@{server.hostname}:{server.port}" if "netloc" in change else server.netloc
    )
    await postgres.watcher.execute("CREATE ROLE nologin PASSWORD 'secret'")
    try:
        url = server._replace(netloc=netloc, path=change.get("path", server.path)).geturl()
        async with engine_of(url) as engine:
            for _ in range(3):
                with pytest.raises(Unavailable, match="refuses"):
                    await work(engine)
            assert pool_of(engine).trouble.lasts
    finally:
        await postgres.watcher.execute("DROP ROLE nologin")
    assert said(caplog) == [f"the database {words}"]


REFUSALS = {
    "disk full": ("53100", "could not extend file: No space left on device"),
    "out of memory": ("53200", "out of memory"),
    "limit of the configuration": ("53400", "temporary file size exceeds temp_file_limit"),
    "read-only": ("25006", "cannot execute INSERT in a read-only transaction"),
    "no permission": ("42501", "permission denied for table outbox"),
    "no table": ("42P01", 'relation "outbox" does not exist'),
    "no column": ("42703", 'column "type" does not exist'),
}


@pytest.mark.parametrize(("sqlstate", "words"), REFUSALS.values(), ids=REFUSALS.keys())
async def test_a_statement_that_the_server_refuses_to_everybody_was_surely_not_done(
    postgres: PostgresWorld, sqlstate: str, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Also where the statement commits by itself, and then it is not asked for again and again."""
    trouble = pool_of(postgres.engine).trouble
    trouble.over()
    caplog.clear()
    async with refusing(postgres.watcher, "outbox", sqlstate, words):
        for _ in range(3):
            with pytest.raises(Unavailable, match="refuses"):
                await add(postgres, noted(b"1"))
        assert trouble.lasts
    assert said(caplog) == [f"the database refuses: {sqlstate} {words}"]
    await add(postgres, noted(b"1"))
    trouble.over()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("ALLOW_CONNECTIONS false", "55000 database .* is not currently accepting connections"),
        ("SET session_preload_libraries = nowhere", "58P01 could not access file"),
    ],
)
async def test_no_refusal_of_a_session_is_a_bug_of_ours(
    postgres: PostgresWorld, postgres_server: str, options: str, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The SQLSTATE does not matter."""
    url = await create_database(postgres_server, "closed")
    try:
        await postgres.watcher.execute(f"ALTER DATABASE closed {options}")
        async with engine_of(url) as engine:
            for _ in range(3):
                with pytest.raises(Unavailable):
                    await work(engine)
    finally:
        await postgres.watcher.execute("DROP DATABASE closed WITH (FORCE)")
    [line] = said(caplog)
    assert re.search(words, line)


def test_an_error_of_the_driver_itself_is_told_in_words() -> None:
    """A statement that is sent when the server has just ended the session."""
    error = asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress")
    assert refusal(error) == ("away", "away: the connection broke off")


async def test_an_error_of_one_call_is_no_trouble_with_the_server(postgres: PostgresWorld) -> None:
    trouble = pool_of(postgres.engine).trouble
    trouble.over()
    for sqlstate in ("23514", "22003", "40001", "P0001"):
        async with refusing(postgres.watcher, "outbox", sqlstate, "no"):
            with pytest.raises((Contention, asyncpg.PostgresError)):
                await add(postgres, noted(b"1"))
    assert not trouble.lasts
