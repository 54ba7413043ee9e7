"""What health asks of a service with a database and a bus."""

import asyncio

from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.http.health import Probe, Probes
from kernel.adapters.postgres.checks.schema import revision
from kernel.adapters.postgres.connections.pool import pool_of
from kernel.application.watchdog import Watchdog


def probes(
    engine: AsyncEngine, wanted: int, watchdog: Watchdog, stop: asyncio.Event, **helpful: Probe
) -> Probes:
    """`helpful`: what the service looks at beside that; where one does not hold, `degraded` has its name."""
    trouble = pool_of(engine).trouble
    found = 0

    async def database_answers() -> bool:
        nonlocal found
        found = await revision(engine)
        return True

    async def schema_suffices() -> bool:
        return found >= wanted

    async def database_takes_all() -> bool:
        return not trouble.lasts

    async def work_gets_through() -> bool:
        return watchdog.healthy

    async def messages_are_wanted() -> bool:
        return not watchdog.paused

    return Probes(
        required={"database": database_answers, "schema": schema_suffices},
        helpful={
            "database": database_takes_all,
            "rabbitmq": work_gets_through,
            "paused": messages_are_wanted,
            **helpful,
        },
        stop=stop,
    )
