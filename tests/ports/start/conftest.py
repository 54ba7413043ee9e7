from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.ports.conftest import Database
from tests.ports.start.databases import Urls
from tests.servers.database import connected
from tests.servers.postgres import create_database


@pytest.fixture(scope="session")
async def urls(postgres_server: str, databases: dict[str, Database]) -> Urls:
    """The URLs of both services' migrated databases, and of an empty one."""
    server = postgres_server.rpartition("/")[0]
    empty = await create_database(postgres_server, "start_empty")
    return {service: f"{server}/{service}" for service in databases} | {"empty": empty}


@pytest.fixture(scope="session")
async def scrap_url(postgres_server: str) -> str:
    return await create_database(postgres_server, "start_scrap")


@pytest.fixture
async def scrap(scrap_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to a database that is empty again after the test."""
    async with connected(scrap_url) as connection:
        yield connection
        await connection.execute(
            "DROP SCHEMA IF EXISTS public, one, two CASCADE; CREATE SCHEMA public;"
            "GRANT USAGE ON SCHEMA public TO public; ALTER DATABASE start_scrap RESET ALL"
        )
