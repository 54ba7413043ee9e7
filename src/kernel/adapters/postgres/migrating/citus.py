"""Distributes the schemas of lanes over Citus nodes: each schema is on one node, and Citus can move it."""

import logging
from collections.abc import Sequence

import asyncpg

logger = logging.getLogger(__name__)

HAS_CITUS = "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')"
_NOT_DISTRIBUTED = """
SELECT nspname AS schema, EXISTS (SELECT FROM pg_class WHERE relnamespace = pg_namespace.oid) AS has_tables
FROM pg_namespace
WHERE nspname = ANY ($1::text[]) AND oid NOT IN (SELECT schemaid FROM pg_dist_schema)
ORDER BY nspname
"""


async def distribute_lanes(connection: asyncpg.Connection, service: str, schemas: Sequence[str]) -> None:
    """Does nothing if the database has no Citus. A schema with tables is not distributed, because that would
    copy its rows and block writers meanwhile."""
    if not await connection.fetchval(HAS_CITUS):
        return
    for row in await connection.fetch(_NOT_DISTRIBUTED, schemas):
        if row["has_tables"]:
            logger.warning(
                "%s of the %s database is not distributed, because it has tables already"
                " (docs/scaling.md, From one PostgreSQL to Citus)",
                row["schema"],
                service,
            )
        else:
            await connection.execute(f"SELECT citus_schema_distribute('{row['schema']}')")
