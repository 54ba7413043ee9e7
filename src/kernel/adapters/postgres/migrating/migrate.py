"""Runs alembic's migrations on databases that are in use (docs/recipes/writing-a-migration.md)."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, NullPool
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from kernel.adapters.postgres.checks.schema import stored_revision
from kernel.adapters.postgres.checks.start import naming
from kernel.adapters.postgres.connections.engine import CONNECT_TIMEOUT_S, SERVER_SETTINGS
from kernel.adapters.postgres.connections.failures import DRIVER_ERRORS
from kernel.adapters.postgres.connections.hosts import Hosts
from kernel.adapters.postgres.migrating.beforehand import Beforehand
from kernel.adapters.postgres.migrating.patience import TRY_MS, Patience
from kernel.adapters.words import in_words
from kernel.domain.errors import ShopError

logger = logging.getLogger(__name__)


# The migrations are beside this file in a wheel (pyproject.toml), else at the top of the repository.
_IN_WHEEL = Path(__file__).parent / "migrations"
MIGRATIONS = _IN_WHEEL if _IN_WHEEL.is_dir() else Path(__file__).parents[5] / "migrations"
# An arbitrary number that only migrations use, so that two migrators take turns.
ADVISORY_LOCK = 0x53484F50
TURN_EVERY_S = 1.0
LOG_EVERY_TURNS = 5
LOCK_WITHIN_S = 60
SETTINGS = SERVER_SETTINGS | {
    "application_name": "shop migrate",
    # A migration has no time limit. Only its waits for locks are short.
    "statement_timeout": "0",
    "lock_timeout": f"{TRY_MS}ms",
    # After a migrator is killed, the server soon ends its session, which frees its advisory lock.
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


async def migrate(
    url: str, service: str, versions: Path | None = None, *, lock_within_s: float = LOCK_WITHIN_S
) -> int:
    """Migrates the database to its newest revision, step by step. Returns the database's revision.

    `versions` is the folder of the migrations; None means the service's folder in MIGRATIONS. A database with
    a newer revision stays as it is, so that a release can be rolled back without its schema. Raises
    Unavailable, LockNotGiven or MigrationFailed, each with a text of one line; completed steps stay.
    """
    config = alembic_config(versions or MIGRATIONS / service / "versions")
    async with _connected(url, service) as (connection, driver):
        with in_one_line(service, "the migration"):
            if _steps(config, await stored_revision(driver)):
                await take_turn(driver, service)
                steps = _steps(config, await stored_revision(driver))
                async with _patience(url, service, driver, lock_within_s) as patience:
                    for step in steps:
                        await _do(step, config, connection, patience)
            return int(await stored_revision(driver))


def alembic_config(versions: Path) -> Config:
    config = Config()
    for option, value in {
        "script_location": MIGRATIONS,
        "version_locations": versions,
        "path_separator": "newline",  # other characters may be part of a path
    }.items():
        config.set_main_option(option, str(value).replace("%", "%%"))
    return config


def _steps(config: Config, revision: str) -> list[Script]:
    """Returns the migrations that a database at this revision lacks, oldest first."""
    steps = ScriptDirectory.from_config(config).walk_revisions()
    return [step for step in steps if step.revision > revision][::-1]


async def take_turn(driver: asyncpg.Connection, service: str) -> None:
    """Waits until this session has the migrators' advisory lock. The session keeps the lock until it ends.

    It polls, because another migrator's CREATE INDEX CONCURRENTLY would wait for a blocked statement.
    """
    turns = 0
    while not await driver.fetchval(_TURN, ADVISORY_LOCK):
        if turns % LOG_EVERY_TURNS == 0:
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

    with in_one_line(patience.service, f"migration {step.revision}"):
        parts: Sequence[Beforehand] = getattr(step.module, "beforehand", ())
        for part in parts:
            await part.run(patience)
        await patience.patiently(commit)


@asynccontextmanager
async def _connected(url: str, service: str) -> AsyncIterator[tuple[AsyncConnection, asyncpg.Connection]]:
    """Opens one session without the timeouts of services. Yields its SQLAlchemy and its driver connection."""
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=partial(connect_migrator, url), poolclass=NullPool
    )
    with naming(service, url):
        connection = await engine.connect()
    try:
        yield connection, (await connection.get_raw_connection()).driver_connection
    finally:
        await connection.close()
        await engine.dispose()


async def connect_migrator(url: str) -> asyncpg.Connection:
    connection = await Hosts(url).connect(timeout_s=CONNECT_TIMEOUT_S, server_settings=SETTINGS)
    # A pooler may have dropped the settings with which the session was started.
    await connection.execute("; ".join(f"SET {name} = '{value}'" for name, value in SETTINGS.items()))
    return connection


@asynccontextmanager
async def _patience(
    url: str, service: str, driver: asyncpg.Connection, within_s: float
) -> AsyncIterator[Patience]:
    beside = await connect_migrator(url)
    patience = Patience(service, driver, beside, within_s)
    looking = asyncio.create_task(patience.look())
    try:
        yield patience
    finally:
        looking.cancel()
        # The observer only finds the lock holder. Its error must not hide an error of the migration.
        with suppress(asyncio.CancelledError, OSError, *DRIVER_ERRORS):
            await looking
        beside.terminate()


@contextmanager
def in_one_line(service: str, migration: str) -> Iterator[None]:
    """Turns an error of the server, the connection or Alembic into a MigrationFailed with a one-line text."""
    try:
        yield
    except (OSError, TimeoutError, CommandError, *DRIVER_ERRORS) as error:
        raise MigrationFailed(
            f"{migration} of the {service} database failed: {in_words(error)};"
            f" then run `shop migrate {service}` again"
        ) from error
