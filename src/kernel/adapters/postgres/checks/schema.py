"""Reads the revision of a database: the number of its newest migration."""

import asyncpg
from sqlalchemy import Column, MetaData, Table, Text, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.connections.failures import cause_of
from kernel.adapters.postgres.statements.reading import read
from kernel.domain.errors import ShopError, Unavailable

# The table in which Alembic records the migrations of a database.
_VERSION = Table("alembic_version", MetaData(), Column("version_num", Text, primary_key=True))
_REVISION = select(func.max(_VERSION.c.version_num))


class SchemaMismatch(ShopError):
    def __init__(self, detail: str) -> None:
        super().__init__("schema", detail)


async def revision(engine: AsyncEngine) -> int:
    """Returns the number of the database's newest migration; 0 if it has none. Raises Unavailable."""
    try:
        [(found,)] = await read(engine, _REVISION)
    except Unavailable as error:
        if not isinstance(cause_of(error), asyncpg.UndefinedTableError):
            raise
        return 0
    return int(found or 0)


async def stored_revision(connection: asyncpg.Connection) -> str:
    """Returns the stored revision; "0" if there is none. It is no number if another application stored it."""
    if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
        return "0"
    return str(await connection.fetchval("SELECT max(version_num) FROM alembic_version") or "0")
