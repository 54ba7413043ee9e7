from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from kernel.adapters.postgres.failures import meaning


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection for statements that only read, each on its own: no BEGIN and no ROLLBACK to wait for."""
    with meaning():
        async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            yield connection
