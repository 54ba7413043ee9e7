"""The revision of a database, which its newest migration wrote down."""

from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.failures import meaning
from kernel.domain.errors import ShopError

UNDEFINED_TABLE = "42P01"


class SchemaMismatch(ShopError):
    def __init__(self, detail: str) -> None:
        super().__init__("schema", detail)


async def revision(engine: AsyncEngine) -> int:
    """The number of the database's newest revision; 0 where it was never migrated."""
    with meaning():
        async with engine.connect() as connection:
            try:
                found = await connection.scalar(text("SELECT max(version_num) FROM alembic_version"))
            except ProgrammingError as error:
                if getattr(error.orig, "sqlstate", None) != UNDEFINED_TABLE:
                    raise
                return 0
    return int(found or 0)
