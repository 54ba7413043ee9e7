"""What health asks of a service with a database and a bus."""

import asyncio
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.http.health import Probe, Probes
from kernel.adapters.postgres.checks.schema import revision
from kernel.adapters.postgres.connections.pool import pools_of
from kernel.application.watchdog import Watchdog

# Less than the time limit of a probe.
ANSWER_S = 1.5


def probes(
    engines: Sequence[AsyncEngine], wanted: int, watchdog: Watchdog, stop: asyncio.Event, **helpful: Probe
) -> Probes:
    """`engines` are those of the lanes. `helpful`: what the service looks at beside that; where one does not
    hold, `degraded` has its name."""
    troubles = [pool.trouble for pool in pools_of(engines)]
    found: list[int | BaseException] = []

    async def some_lane_answers() -> bool:
        nonlocal found
        found = await asyncio.gather(*map(_revision_soon, engines), return_exceptions=True)
        return any(isinstance(one, int) for one in found)

    async def schema_suffices() -> bool:
        return all(one >= wanted for one in found if isinstance(one, int))

    async def every_lane_answers() -> bool:
        return all(isinstance(one, int) for one in found) and not any(one.lasts for one in troubles)

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


async def _revision_soon(engine: AsyncEngine) -> int:
    """Gives up after ANSWER_S: a silent server must not hide that other lanes answer."""
    async with asyncio.timeout(ANSWER_S):
        return await revision(engine)
