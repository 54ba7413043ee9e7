"""The migrated databases have the tables and revisions that the code expects."""

import re
import shutil
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import Connection, MetaData, Table, UniqueConstraint, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncEngine

import kernel.adapters.postgres.tables
from kernel.adapters.postgres.checks.schema import revision
from kernel.adapters.postgres.connections.engine import connect_engine
from kernel.adapters.postgres.messages.outbox import PostgresBacklog
from kernel.adapters.postgres.migrating import migrate as migrating
from kernel.adapters.postgres.migrating.migrate import MIGRATIONS, migrate
from kernel.adapters.postgres.statements.unit_of_work import PostgresUnitOfWork
from kernel.domain.ids import made_at
from kernel.ports.outbox import OutboxRow
from orders.contract.messages import ORDER_PLACED, ORDER_STATUS_CHANGED
from tests.architecture.schema import SERVICES
from tests.servers.postgres import create_database

each_service = pytest.mark.parametrize("service", SERVICES)


def known(service: str) -> dict[str, Table]:
    """The tables that the code knows in the database of a service."""
    modules = (kernel.adapters.postgres.tables, SERVICES[service])
    return {
        table.name: table for module in modules for table in vars(module).values() if isinstance(table, Table)
    }


def shape(table: Table) -> dict[str, Any]:
    """The properties that must be equal in the database and in the code."""
    dialect = postgresql.dialect()
    uniques = (c for c in table.constraints if isinstance(c, UniqueConstraint))
    return {
        "columns": {column.name: (column.type.compile(dialect), column.nullable) for column in table.columns},
        "primary key": [column.name for column in table.primary_key],
        "unique": {tuple(column.name for column in unique.columns) for unique in uniques},
    }


def shapes_in_database(connection: Connection) -> dict[str, Any]:
    found = MetaData()
    found.reflect(connection)
    return {name: shape(table) for name, table in found.tables.items() if name != "alembic_version"}


def shapes_in_code(service: str) -> dict[str, Any]:
    return {name: shape(table) for name, table in known(service).items()}


@each_service
async def test_the_database_has_the_tables_that_the_code_knows(
    service: str, engines: dict[str, AsyncEngine]
) -> None:
    async with engines[service].connect() as connection:
        assert await connection.run_sync(shapes_in_database) == shapes_in_code(service)


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE orders ADD COLUMN colour text",
        "ALTER TABLE orders ALTER COLUMN amount TYPE numeric",
        'ALTER TABLE orders ALTER COLUMN reason TYPE text COLLATE "default"',
        "ALTER TABLE orders ALTER COLUMN reason SET NOT NULL",
        "ALTER TABLE orders DROP CONSTRAINT orders_pkey",
        "ALTER TABLE orders DROP CONSTRAINT orders_user_id_idempotency_key_key",
        "ALTER TABLE outbox RENAME COLUMN event TO body",
        "DROP TABLE inbox",
        "CREATE TABLE forgotten (id int)",
    ],
)
async def test_any_difference_between_database_and_code_is_found(
    change: str, engines: dict[str, AsyncEngine]
) -> None:
    async with engines["orders"].connect() as connection:
        await connection.execute(text(change))
        assert await connection.run_sync(shapes_in_database) != shapes_in_code("orders")
        await connection.rollback()


@each_service
def test_revisions_are_numbered_without_a_gap_and_each_follows_the_one_before(service: str) -> None:
    files = sorted((MIGRATIONS / service / "versions").glob("*.py"))
    assert [path.name[:5] for path in files] == [f"{number:04}_" for number in range(1, len(files) + 1)]
    for number, path in enumerate(files, 1):
        source = path.read_text()
        before = "None" if number == 1 else f'"{number - 1:04}"'
        assert re.search(rf'^revision = "{number:04}"$', source, re.MULTILINE)
        assert re.search(rf"^down_revision = {before}$", source, re.MULTILINE)


@each_service
async def test_the_code_needs_the_newest_revision(service: str, engines: dict[str, AsyncEngine]) -> None:
    newest = len(list((MIGRATIONS / service / "versions").glob("*.py")))
    assert newest == SERVICES[service].SCHEMA.revision == await revision(engines[service])


async def test_a_database_that_was_never_migrated_is_at_revision_0(postgres_server: str) -> None:
    engine = connect_engine(f"{postgres_server.rpartition('/')[0]}/template1")
    assert await revision(engine) == 0
    await engine.dispose()


@each_service
async def test_migrating_twice_changes_nothing(
    service: str, engines: dict[str, AsyncEngine], postgres_server: str
) -> None:
    await migrate(f"{postgres_server.rpartition('/')[0]}/schema_of_{service}", service)
    assert await revision(engines[service]) == SERVICES[service].SCHEMA.revision


async def test_migration_0003_of_orders_removes_notifications_from_the_outbox(
    postgres_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = await create_database(postgres_server, "orders_before_0003")
    engine, watcher = connect_engine(url), await asyncpg.connect(url)
    shutil.copytree(MIGRATIONS, tmp_path / "before", ignore=shutil.ignore_patterns("000[3-9]*", "001*"))
    with monkeypatch.context() as of_before:
        of_before.setattr(migrating, "MIGRATIONS", tmp_path / "before")
        await migrate(url, "orders")
    oldest, newer = (UUID(int=ms << 80) for ms in (1, 2))
    rows = [(ORDER_STATUS_CHANGED, oldest, b"1"), (ORDER_PLACED, newer, b"2")]
    await watcher.executemany("INSERT INTO outbox VALUES ($1, $2, $3)", rows)

    await migrate(url, "orders")
    async with (uow := PostgresUnitOfWork(engine)):
        backlog = PostgresBacklog(uow)
        assert await backlog.waiting_since() == made_at(newer)
        assert await backlog.take(ORDER_PLACED, count_max=10) == [OutboxRow(*rows[1], count=1)]
        assert await backlog.waiting_since() is None
    await watcher.close()
    await engine.dispose()
