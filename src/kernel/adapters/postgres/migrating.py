"""Migrations by alembic, on databases that are in use (docs/recipes/writing-a-migration.md)."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, NullPool
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from kernel.adapters.postgres.engine import CONNECT_TIMEOUT_S, SERVER_SETTINGS
from kernel.adapters.postgres.failures import DRIVER_ERRORS
from kernel.adapters.postgres.hosts import Hosts
from kernel.adapters.postgres.patience import TRY_MS, Patience
from kernel.adapters.postgres.start import naming
from kernel.domain.errors import ShopError

logger = logging.getLogger(__name__)


def _migrations() -> Path:
    """A wheel carries them beside this file (pyproject.toml); the repository has them at its top."""
    in_wheel = Path(__file__).parent / "migrations"
    return in_wheel if in_wheel.is_dir() else Path(__file__).parents[4] / "migrations"


MIGRATIONS = _migrations()
# Any number that only migrations use: two migrators take turns.
ADVISORY_LOCK = 0x53484F50
TURN_EVERY_S = 1.0
TURNS_UNTOLD = 5
LOCK_WITHIN_S = 60
SETTINGS = SERVER_SETTINGS | {
    "application_name": "shop migrate",
    # A step takes as long as it takes; only its tries for a lock are short.
    "statement_timeout": "0",
    "lock_timeout": f"{TRY_MS}ms",
    # What a migrator that was killed has begun ends soon, and with it the migrators' lock.
    "client_connection_check_interval": "1s",
}

_TURN = "SELECT pg_try_advisory_lock($1)"
_WHOSE_TURN = """
SELECT format('pid %s (%s), connected since %s', pid, application_name, backend_start)
FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND objid = $1::bigint::oid AND granted AND datname = current_database()
"""


class MigrationFailed(ShopError):
    def __init__(self, detail: str) -> None:
        super().__init__("migration_failed", detail)


async def migrate(url: str, service: str, *, lock_within_s: float = LOCK_WITHIN_S) -> int:
    """Bring the database to its newest revision, step by step; answers with the number of its revision.

    One that is further already stays as it is, so that a release can be taken back without its schema.
    Raises Unavailable, LockNotGiven or MigrationFailed, in one clear line each; the steps before that stay.
    """
    config = alembic_config(service)
    async with _connected(url, service) as (connection, driver):
        with _in_one_line(service, "the migration"):
            if _steps(config, await _revision(driver)):
                await _take_turn(driver, service)
                steps = _steps(config, await _revision(driver))
                async with _patience(url, service, driver, lock_within_s) as patience:
                    for step in steps:
                        await _do(step, config, connection, patience)
            return int(await _revision(driver))


def alembic_config(service: str) -> Config:
    config = Config()
    for option, value in {
        "script_location": MIGRATIONS,
        "version_locations": MIGRATIONS / service / "versions",
        "path_separator": "newline",  # no other character parts two paths
    }.items():
        config.set_main_option(option, str(value).replace("%", "%%"))
    return config


def _steps(config: Config, revision: str) -> list[Script]:
    """Those that a database of this revision lacks, the oldest first."""
    newer = [
        step for step in ScriptDirectory.from_config(config).walk_revisions() if step.revision > revision
    ]
    return newer[::-1]


async def _revision(driver: asyncpg.Connection) -> str:
    if await driver.fetchval("SELECT to_regclass('alembic_version')") is None:
        return "0"
    found: str | None = await driver.fetchval("SELECT max(version_num) FROM alembic_version")
    return found or "0"


async def _take_turn(driver: asyncpg.Connection, service: str) -> None:
    """Returns once no other migrator works. The lock ends with the session that also does the work.

    Nobody waits within a statement: a CREATE INDEX CONCURRENTLY of the other one waits for its end.
    """
    turns = 0
    while not await driver.fetchval(_TURN, ADVISORY_LOCK):
        if turns % TURNS_UNTOLD == 0:
            other = await driver.fetchval(_WHOSE_TURN, ADVISORY_LOCK)
            logger.info("the migration of %s waits for another one: %s", service, other)
        turns += 1
        await asyncio.sleep(TURN_EVERY_S)


async def _do(step: Script, config: Config, connection: AsyncConnection, patience: Patience) -> None:
    def upgrade(sync: Connection) -> None:
        config.attributes["connection"] = sync
        command.upgrade(config, step.revision)

    async def commit() -> None:
        async with connection.begin():
            await connection.run_sync(upgrade)

    with _in_one_line(patience.service, f"migration {step.revision}"):
        for part in getattr(step.module, "beforehand", ()):
            await part.run(patience)
        await patience.patiently(commit)


@asynccontextmanager
async def _connected(url: str, service: str) -> AsyncIterator[tuple[AsyncConnection, asyncpg.Connection]]:
    """A session without the limits of the services, once for alembic and once bare."""
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=partial(_connect, url), poolclass=NullPool
    )
    with naming(service, url):
        connection = await engine.connect()
    try:
        yield connection, (await connection.get_raw_connection()).driver_connection
    finally:
        await connection.close()
        await engine.dispose()


async def _connect(url: str) -> asyncpg.Connection:
    connection = await Hosts(url).connect(timeout_s=CONNECT_TIMEOUT_S, server_settings=SETTINGS)
    # A pooler may have dropped what the session was started with.
    await connection.execute("; ".join(f"SET {name} = '{value}'" for name, value in SETTINGS.items()))
    return connection


@asynccontextmanager
async def _patience(
    url: str, service: str, driver: asyncpg.Connection, within_s: float
) -> AsyncIterator[Patience]:
    beside = await _connect(url)
    patience = Patience(service, driver, beside, within_s)
    looking = asyncio.create_task(patience.look())
    try:
        yield patience
    finally:
        looking.cancel()
        # Without it nobody is named; what the work itself meets tells more.
        with suppress(asyncio.CancelledError, OSError, *DRIVER_ERRORS):
            await looking
        beside.terminate()


@contextmanager
def _in_one_line(service: str, migration: str) -> Iterator[None]:
    """Tells an operator what the server said, or that its connection is gone."""
    try:
        yield
    except (OSError, TimeoutError, *DRIVER_ERRORS) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        words = getattr(cause, "__cause__", None) or cause
        sqlstate = getattr(cause, "sqlstate", None)
        raise MigrationFailed(
            f"{migration} of the {service} database failed: {words}"
            f"{f' (SQLSTATE {sqlstate})' if sqlstate else ''}; then run `shop migrate {service}` again"
        ) from error
