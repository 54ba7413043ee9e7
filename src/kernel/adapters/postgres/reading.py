from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import lru_cache

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from kernel.adapters.postgres.driver import DriverConnection, connected
from kernel.adapters.postgres.failures import meaning
from kernel.domain.errors import Contention, Unavailable


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection for statements that only read, each on its own: no BEGIN and no ROLLBACK to wait for."""
    with _meaning():
        async with _autocommitting(engine).connect() as connection:
            yield connection


@asynccontextmanager
async def reading_often(engine: AsyncEngine) -> AsyncIterator[DriverConnection]:
    """The same for statements that every order needs."""
    with _meaning():
        async with connected(engine) as connection:
            yield connection


@lru_cache(maxsize=8)
def _autocommitting(engine: AsyncEngine) -> AsyncEngine:
    """The same pool, without transactions of SQLAlchemy's; this view of it costs as much as a statement."""
    return engine.execution_options(isolation_level="AUTOCOMMIT")


@contextmanager
def _meaning() -> Iterator[None]:
    try:
        with meaning():
            yield
    except Contention as error:
        raise Unavailable("the database is busy", code="overloaded") from error
