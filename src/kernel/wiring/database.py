"""The database of a service, checked before it is used."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.checks.start import require_fit
from kernel.adapters.postgres.connections.engine import connect_engine
from kernel.adapters.postgres.connections.pool import pool_of
from kernel.adapters.postgres.tables import Schema

CONSOLE = "shop console"
"""What the sessions of commands are called, which come and go beside those of the service."""


@asynccontextmanager
async def database(url: str, schema: Schema, session_name: str | None = None) -> AsyncIterator[AsyncEngine]:
    """The service's database. Without `session_name`, the sessions are called as those of the service.

    Raises Unavailable or SchemaMismatch, in one clear line, at start.
    """
    await require_fit(url, schema)
    engine = connect_engine(url, session_name)
    pool_of(engine).trouble.server = f"the {schema.service} database"
    try:
        yield engine
    finally:
        await engine.dispose()
