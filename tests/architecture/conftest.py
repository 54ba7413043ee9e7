from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.connections.engine import connect_engine
from kernel.adapters.postgres.migrating.migrate import migrate
from tests.architecture.schema import SERVICES
from tests.servers.postgres import create_database


@pytest.fixture(scope="session")
async def engines(postgres_server: str) -> AsyncIterator[dict[str, AsyncEngine]]:
    """Engines on migrated databases, one for each service."""
    engines = {}
    for service in SERVICES:
        url = await create_database(postgres_server, f"schema_of_{service}")
        engines[service] = connect_engine(url)
        await migrate(url, service)
    yield engines
    for engine in engines.values():
        await engine.dispose()
