"""A database in use is migrated while the shop goes on; what is killed on the way is finished later."""

import asyncio
import logging
import shutil
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from kernel.adapters.postgres.connections.engine import SERVER_SETTINGS
from kernel.adapters.postgres.migrating import beforehand, patience
from kernel.adapters.postgres.migrating import migrate as migrating
from kernel.adapters.postgres.migrating.migrate import MIGRATIONS, MigrationFailed, migrate
from kernel.adapters.postgres.migrating.patience import LockNotGiven
from tests.servers.database import connected
from tests.servers.postgres import create_database
from tests.servers.process import Process, eventually
from tests.servers.scissors import Scissors

LEFT_BEHIND, PLACED = "shop.orders.order-status-changed.v1", "shop.orders.order-placed.v1"
FILL = f"""
INSERT INTO outbox SELECT '{LEFT_BEHIND}', gen_random_uuid(), '' FROM generate_series(1, $1::int)
"""
ROWS = 20_000
ENDS_WITHIN_S = 60
NEWEST = len(list((MIGRATIONS / "orders/versions").glob("*.py")))
NEXT = f'''
from alembic import op

from kernel.adapters.postgres.migrating.beforehand import InBatches, Index, DropIndex

revision = "{NEWEST + 1:04}"
down_revision = "{NEWEST:04}"

beforehand = [
    Index("orders_next", "orders", "(status, created_at)"),
    DropIndex("orders_ask_again"),
    InBatches("outbox", key="type, id", change="UPDATE outbox SET count = 2", where="count = 1"),
]


def upgrade() -> None:
    op.execute("CREATE TABLE limits AS SELECT current_setting('statement_timeout') AS statement")
'''
# Tables, columns and indexes, and what the steps did to rows; whether an index is valid.
STATE = """
SELECT string_agg(line, E'\\n' ORDER BY line) FROM (
    SELECT format('%s.%s %s', table_name, column_name, data_type) AS line
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION SELECT format('%s %s', indexrelid::regclass, indisvalid) FROM pg_index
    WHERE indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
    UNION SELECT format('%s: %s', tgrelid::regclass, tgname) FROM pg_trigger WHERE NOT tgisinternal
    UNION SELECT 'at ' || version_num FROM alembic_version
    UNION SELECT format('%s %s events: %s rows', type, count, count(*)) FROM outbox GROUP BY type, count
) AS state (line)
"""
names = (f"migrated_{number}" for number in count())


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrating, "TURN_EVERY_S", 0.02)
    monkeypatch.setattr(patience, "PAUSE_S", 0.1)
    monkeypatch.setattr(beforehand, "BATCH_ROWS", 10)


def at(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(migrating, "MIGRATIONS", folder)


@pytest.fixture(scope="session")
def before(scratch: Path) -> Path:
    """The migrations of a release that knows nothing of 0003."""
    return shutil.copytree(MIGRATIONS, scratch / "before", ignore=shutil.ignore_patterns("000[3-9]*", "001*"))


@pytest.fixture(scope="session")
def following(scratch: Path) -> Path:
    """The migrations with one more, which does all that a migration may do."""
    folder = shutil.copytree(MIGRATIONS, scratch / "following")
    (folder / "orders/versions" / f"{NEWEST + 1:04}_next.py").write_text(NEXT)
    return folder


async def make_database(server: str, rows: int = 0, *, migrations: Path | None = None) -> str:
    """The URL of a database at the newest revision of `migrations`, with rows that 0003 has to delete."""
    url = await create_database(server, next(names))
    if migrations:
        with pytest.MonkeyPatch.context() as patch:
            at(patch, migrations)
            await migrate(url, "orders")
        async with connected(url) as connection:
            await connection.execute(FILL, rows)
            await connection.execute(f"INSERT INTO outbox VALUES ('{PLACED}', gen_random_uuid(), '')")
    return url


async def copy_of(url: str) -> str:
    name = next(names)
    async with connected(url.replace(urlsplit(url).path, "/postgres")) as connection:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {urlsplit(url).path[1:]}")
    return url.replace(urlsplit(url).path, f"/{name}")


async def state(url: str) -> str:
    async with connected(url) as connection:
        found: str = await connection.fetchval(STATE)
        return found


@pytest.mark.parametrize(
    ("start", "changes"),
    [
        ("empty", "CREATE TRIGGER"),
        # Statements outside of transactions, and the end of each: what is cut off within one was never done.
        ("in use", "COMMIT|CONCURRENTLY|(UPDATE|DELETE FROM) outbox"),
        # Every change of a migration that does all that one may do.
        ("at the newest", "COMMIT|CREATE|DROP|ALTER|UPDATE|DELETE|INSERT"),
    ],
)
async def test_a_migrator_that_is_cut_off_ends_in_one_line_and_the_next_one_finishes(
    start: str,
    changes: str,
    postgres_server: str,
    before: Path,
    following: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    migrations = {"in use": before, "at the newest": MIGRATIONS}.get(start)
    original = await make_database(postgres_server, 15, migrations=migrations)
    at(monkeypatch, following)
    url = await copy_of(original)
    whole = Scissors(url, changes)
    async with whole.laid() as line:
        await migrate(line, "orders")
    finished = await state(url)
    assert f"at {NEWEST + 1:04}" in finished
    # 0003 deletes them.
    assert (LEFT_BEHIND in finished) == (start == "at the newest")
    async with connected(url) as connection:
        assert await connection.fetchval("SELECT statement FROM limits") == "0"
    assert whole.sent >= 2
    for cut_at in range(1, whole.sent + 1):
        url = await copy_of(original)
        async with Scissors(url, changes, cut_at).laid() as line:
            with pytest.raises(MigrationFailed, match=r"\A.*migration.* of the orders database failed: .*\Z"):
                await migrate(line, "orders")
        await migrate(url, "orders")
        assert await state(url) == finished, f"cut off at change {cut_at} of {whole.sent}"


async def test_a_killed_migrator_is_followed_by_one_whose_role_has_a_limit_of_1_ms_on_a_statement(
    postgres_server: str, before: Path, scratch: Path
) -> None:
    url = await make_database(postgres_server, ROWS, migrations=before)
    role = f"hasty_{urlsplit(url).path[1:]}"
    left = f"SELECT count(*) FROM outbox WHERE type = '{LEFT_BEHIND}'"

    def migrator() -> Process:
        hasty = url.replace("//shop", f"//{role}")
        process = Process(
            "migrate", "orders", settings={"ORDERS_DATABASE_URL": hasty}, logs=scratch / "hasty"
        )
        process.spawn()
        return process

    async with connected(url) as watcher, connected(url, application_name="a service") as service:
        await watcher.execute(f"CREATE ROLE {role} SUPERUSER LOGIN PASSWORD '{urlsplit(url).password}'")
        for limit in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
            await watcher.execute(f"ALTER ROLE {role} SET {limit} = '1ms'")
        async with service.transaction():
            await service.execute("SELECT FROM outbox ORDER BY type DESC, id DESC LIMIT 1 FOR UPDATE")
            first = migrator()

            async def some_are_deleted() -> bool:
                assert first.runs, first.last_words
                return 0 < await watcher.fetchval(left) < ROWS

            await eventually(some_are_deleted)
            first.kill()
        second = migrator()
        assert await second.ended() == 0, second.last_words
        assert await watcher.fetchval(left) == 0
    assert f"at {NEWEST:04}" in await state(url)


async def test_behind_a_long_reader_the_shop_goes_on_and_the_one_line_names_who_holds_which_table(
    postgres_server: str, before: Path, scratch: Path
) -> None:
    url = await make_database(postgres_server, migrations=before)
    settings = {"ORDERS_DATABASE_URL": url, "SHOP_MIGRATE_LOCK_WITHIN": "2"}
    process = Process("migrate", "orders", settings=settings, logs=scratch / "reader")
    async with (
        connected(url, **SERVER_SETTINGS) as service,
        connected(url, application_name="pg_dump") as reader,
        reader.transaction(),
    ):
        await reader.execute("LOCK TABLE outbox IN ACCESS SHARE MODE")
        process.spawn()
        async with asyncio.timeout(ENDS_WITHIN_S):
            while process.exit_code is None:
                await service.execute(f"INSERT INTO outbox VALUES ('{PLACED}', gen_random_uuid(), '')")
                await asyncio.sleep(0.01)
        (line,) = process.stderr.splitlines()
        assert process.exit_code == 1
        for named in ("orders", "table outbox", f"pid {reader.get_server_pid()} (pg_dump)", "since 20"):
            assert named in line
    assert await migrate(url, "orders") == NEWEST


async def test_of_two_migrators_one_waits_outside_of_any_transaction_and_neither_is_in_a_deadlock(
    postgres_server: str,
    before: Path,
    following: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    url = await make_database(postgres_server, 15, migrations=before)
    at(monkeypatch, following)
    async with connected(url, application_name="a report") as reader, connected(url) as watcher:
        async with reader.transaction(isolation="repeatable_read"):
            await reader.execute("SELECT FROM orders")
            first = asyncio.create_task(migrate(url, "orders"))
            await eventually(lambda: watcher.fetchval(INDEXING))
            second = asyncio.create_task(migrate(url, "orders"))
            await eventually(lambda: "waits for another one" in caplog.text)
            assert await watcher.fetchval(WAITING) == 1, "only the index waits, for the report"
        assert await asyncio.gather(first, second) == [NEWEST + 1, NEWEST + 1]


INDEXING = "SELECT count(*) FROM pg_stat_progress_create_index WHERE phase LIKE 'waiting for%'"
WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'shop migrate' AND xact_start IS NOT NULL
"""


async def test_an_index_that_a_kill_has_left_invalid_is_built_anew(
    postgres_server: str, following: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = await make_database(postgres_server, migrations=MIGRATIONS)
    at(monkeypatch, following)
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('orders_next')"
    async with connected(url, application_name="a report") as reader, connected(url) as watcher:
        async with reader.transaction(isolation="repeatable_read"):
            await reader.execute("SELECT FROM orders")
            migrator = asyncio.create_task(migrate(url, "orders"))
            await eventually(lambda: watcher.fetchval(INDEXING))
            await watcher.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_progress_create_index")
            with pytest.raises(MigrationFailed, match="terminating connection"):
                await migrator
            assert await watcher.fetchval(valid) is False
            with pytest.raises(LockNotGiven, match=r"table orders within .*\(a report\)"):
                await migrate(url, "orders", lock_within_s=0.2)
        await migrate(url, "orders")
        assert await watcher.fetchval(valid) is True
