"""Shares one server's pool among its lanes. Each lane can use a limited number of connections at once."""

import asyncio
from math import ceil

from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.lanes.lane import Lane
from kernel.adapters.postgres.connections.engine import CONNECT_TIMEOUT_S, POOL_SIZE

# While a parked message is replayed, the replay holds one connection and the consumer needs a second.
SHARE_MIN = 2
_OPTION = "shop_lane"


class LaneShare:
    """A lane's share of a server: one schema, and a limited number of the pool's connections at once."""

    def __init__(self, schema: str, lanes_of_server: int) -> None:
        self.schema = schema
        self._free = asyncio.Semaphore(max(SHARE_MIN, ceil(2 * POOL_SIZE / lanes_of_server)))

    async def acquire(self) -> None:
        """Waits until the lane may use one more connection. Raises PoolTimeout after CONNECT_TIMEOUT_S."""
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await self._free.acquire()
        except TimeoutError:
            raise PoolTimeout("all connections of the lane are in use") from None

    def release(self) -> None:
        self._free.release()


def engine_of_lane(server: AsyncEngine, lane: Lane, lanes_of_server: int) -> AsyncEngine:
    """Returns an engine that uses the server's pool, and whose statements use the tables of the lane."""
    if lane.schema is None:
        return server
    return server.execution_options(**{_OPTION: LaneShare(lane.schema, lanes_of_server)})


def share_of(engine: AsyncEngine) -> LaneShare | None:
    """Returns the share of the engine's lane; None if the shop has only one lane, which has no limit."""
    share: LaneShare | None = engine.get_execution_options().get(_OPTION)
    return share


def schema_of(engine: AsyncEngine) -> str | None:
    share = share_of(engine)
    return None if share is None else share.schema
