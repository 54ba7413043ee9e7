from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from kernel.adapters.postgres.failures import meaning
from kernel.domain.errors import Contention, Unavailable


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection for statements that only read, each on its own: no BEGIN and no ROLLBACK to wait for."""
    try:
        with meaning():
            async with _autocommitting(engine).connect() as connection:
                yield connection
    except Contention as error:
        raise Unavailable("the database is busy", code="overloaded") from error


@lru_cache(maxsize=8)
def _autocommitting(engine: AsyncEngine) -> AsyncEngine:
    """The same pool; making this view of it anew costs as much as a statement."""
    return engine.execution_options(isolation_level="AUTOCOMMIT")
