"""The health checks of a service with a database and a bus."""

import asyncio
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.http.health import Probe, Probes
from kernel.adapters.postgres.checks.schema import revision
from kernel.adapters.postgres.connections.pool import pools_of
from kernel.application.watchdog import Watchdog
from kernel.domain.errors import Contention, Unavailable

# Less than the time limit of a probe.
ANSWER_S = 1.5


def probes(
    engines: Sequence[AsyncEngine], wanted: int, watchdog: Watchdog, stop: asyncio.Event, **helpful: Probe
) -> Probes:
    """`engines` has one engine for each lane. `wanted` is the revision of the schema that the service needs.
    `helpful` are further checks; `degraded` names those that fail."""
    troubles = [pool.trouble for pool in pools_of(engines)]
    found: list[int | None] = []

    async def some_lane_answers() -> bool:
        nonlocal found
        found = await asyncio.gather(*map(_revision_soon, engines))
        return any(one is not None for one in found)

    async def schema_suffices() -> bool:
        return all(one >= wanted for one in found if one is not None)

    async def every_lane_answers() -> bool:
        return None not in found and not any(one.lasts for one in troubles)

    async def work_gets_through() -> bool:
        return watchdog.healthy

    async def messages_are_wanted() -> bool:
        return not watchdog.paused

    return Probes(
        required={"database": some_lane_answers, "schema": schema_suffices},
        helpful={
            "database": every_lane_answers,
            "rabbitmq": work_gets_through,
            "paused": messages_are_wanted,
            **helpful,
        },
        stop=stop,
    )


async def _revision_soon(engine: AsyncEngine) -> int | None:
    """Returns the revision, or None if the database does not answer within ANSWER_S. A silent server must not
    hide that other lanes answer."""
    try:
        async with asyncio.timeout(ANSWER_S):
            return await revision(engine)
    except (Unavailable, Contention, TimeoutError):
        return None
