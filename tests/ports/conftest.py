"""The two worlds that the suites of the stores run in; one PostgreSQL server serves them all."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
import pytest
from tests.ports.worlds import MemoryWorld, PostgresWorld, World

from kernel.adapters.embedded.postgres import EmbeddedPostgres
from kernel.adapters.postgres.engine import connect_engine
from kernel.adapters.postgres.schema import migrate

pytest.register_assert_rewrite("tests.ports.worlds")

# Durability is tried by its own tests, on a server of their own.
OPTIONS = {"fsync": "off", "deadlock_timeout": "100ms"}

Databases = dict[str, tuple[str, PostgresWorld]]


@pytest.fixture(scope="session")
async def databases(scratch: Path) -> AsyncIterator[dict[str, str]]:
    """The URLs of a migrated database a service."""
    with EmbeddedPostgres(scratch / "ports", database="orders", options=OPTIONS) as server:
        admin = await asyncpg.connect(server.url)
        await admin.execute("CREATE DATABASE payments")
        await admin.close()
        urls = {name: f"{server.url.rpartition('/')[0]}/{name}" for name in ("orders", "payments")}
        for service, url in urls.items():
            engine = connect_engine(url)
            await migrate(engine, service)
            await engine.dispose()
        yield urls


@pytest.fixture(scope="session")
async def postgres_worlds(databases: dict[str, str]) -> AsyncIterator[dict[str, PostgresWorld]]:
    async with AsyncExitStack() as stack:
        worlds = {}
        for service, url in databases.items():
            engine = connect_engine(url)
            stack.push_async_callback(engine.dispose)
            watcher = await asyncpg.connect(url)
            stack.push_async_callback(watcher.close)
            worlds[service] = PostgresWorld(engine, watcher)
        yield worlds


@pytest.fixture(params=["memory", "postgres"])
async def orders(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        yield ...
