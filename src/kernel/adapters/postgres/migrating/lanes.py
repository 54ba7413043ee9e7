"""Creates the database schemas of lanes."""

from collections.abc import Sequence

from kernel.adapters.lanes.lane import Lane
from kernel.adapters.postgres.checks.lanes import lanes_made
from kernel.adapters.postgres.migrating.citus import distribute_lanes
from kernel.adapters.postgres.migrating.migrate import connect_migrator, in_one_line, take_turn


async def make_lanes(url: str, service: str, lanes: Sequence[Lane]) -> None:
    """Creates all schemas or none, because existing lanes count as all lanes. Raises MigrationFailed."""
    with in_one_line(service, "making the lanes"):
        connection = await connect_migrator(url)
        try:
            schemas = [lane.schema for lane in lanes if lane.schema is not None]
            if not schemas:
                return
            await take_turn(connection, service)
            if not await lanes_made(connection):
                async with connection.transaction():
                    for lane in lanes:
                        await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {lane.schema}")
                        await connection.execute(f"COMMENT ON SCHEMA {lane.schema} IS '{lane}'")
            await distribute_lanes(connection, service, schemas)
        finally:
            connection.terminate()
