"""The check of the schema that a service makes at its start."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.failures import meaning
from kernel.domain.errors import ShopError, Unavailable

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


async def require_revision(engine: AsyncEngine, service: str, wanted: int) -> None:
    """Raises SchemaMismatch below `wanted`. A higher revision is fine: expand, then contract."""
    with naming(service):
        found = await revision(engine)
    if found < wanted:
        raise SchemaMismatch(
            f"the {service} database is at revision {found:04}, but {wanted:04} is needed:"
            f" run `shop migrate {service}`"
        )


@contextmanager
def naming(service: str) -> Iterator[None]:
    """Tells an operator which database is away, and why."""
    try:
        yield
    except Unavailable as error:
        cause = error.__cause__
        reason = cause.orig if isinstance(cause, DBAPIError) else cause
        raise Unavailable(f"the {service} database is away: {reason}") from error
    except (ValueError, OverflowError) as error:
        # The driver reads the URL; what it says of it may hold the password.
        raise Unavailable(f"the URL of the {service} database is malformed") from error
