"""The lanes of one server share its pool; each is lent a limited part of the connections."""

import asyncio
from math import ceil

from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.lanes.lane import Lane
from kernel.adapters.postgres.connections.engine import CONNECT_TIMEOUT_S, POOL_SIZE

# The replay of a parked message holds a connection while the consumer needs another.
SHARE_MIN = 2
_OPTION = "shop_lane"


class LanePart:
    """What a lane has of its server: a schema, and a part of the connections."""

    def __init__(self, schema: str, lanes_of_server: int) -> None:
        self.schema = schema
        self._free = asyncio.Semaphore(max(SHARE_MIN, ceil(2 * POOL_SIZE / lanes_of_server)))

    async def enter(self) -> None:
        """Raises what the pool raises when all connections are lent for too long."""
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await self._free.acquire()
        except TimeoutError:
            raise PoolTimeout("the lane has all of its connections lent") from None

    def leave(self) -> None:
        self._free.release()


def engine_of_lane(server: AsyncEngine, lane: Lane, lanes_of_server: int) -> AsyncEngine:
    """The engine of the server, with the same pool; statements name the tables of the lane."""
    if lane.schema is None:
        return server
    return server.execution_options(**{_OPTION: LanePart(lane.schema, lanes_of_server)})


def part_of(engine: AsyncEngine) -> LanePart | None:
    """None where the engine is not that of one lane among several."""
    part: LanePart | None = engine.get_execution_options().get(_OPTION)
    return part


def schema_of(engine: AsyncEngine) -> str | None:
    part = part_of(engine)
    return None if part is None else part.schema
