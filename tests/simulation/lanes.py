"""A simulated shop of several lanes: each has a database, group commits and relays of its own."""

from collections import ChainMap
from collections.abc import Hashable, Sequence
from itertools import chain
from typing import Any, TypeVar

from kernel.adapters.lanes.groups import GroupsOfLanes
from kernel.adapters.lanes.lane import LaneFinder
from kernel.serving import Background
from tests.memory.database import MemoryDatabase, Table

R = TypeVar("R")


class DatabaseOfLanes(MemoryDatabase):
    """A read-only view of the committed rows of all lanes."""

    def __init__(self, lanes: Sequence[MemoryDatabase]) -> None:
        self._lanes = lanes
        self.locks = ChainMap(*(lane.locks for lane in lanes))

    def rows(self, table: Table[R]) -> list[R]:
        return [row for lane in self._lanes for row in lane.rows(table)]

    def get(self, table: Table[R], key: Hashable, *, by: str | None = None) -> R | None:
        return next(filter(None, (lane.get(table, key, by=by) for lane in self._lanes)), None)


class ServiceOfLanes:
    """A service over its lanes, combined as in the service's `wiring.py`."""

    def __init__(self, lanes: Sequence[Any]) -> None:
        self._lanes = lanes
        self._finder = LaneFinder(len(lanes))
        self.name, self.clock = lanes[0].name, lanes[0].clock
        self.handle = lanes[0].parts.consumer_of_lanes([lane.handle for lane in lanes])
        for act in lanes[0].groups:
            setattr(self, act, GroupsOfLanes([getattr(lane, act) for lane in lanes]))

    async def admit_orders(self, orders: Sequence[tuple[str, int]]) -> Any:
        """They are of one lane, because who asks is one of the lanes of orders."""
        return await self._lanes[self._finder.of_user(orders[0][0])].admit_orders(orders)

    def jobs(self) -> list[Background]:
        return list(chain.from_iterable(lane.jobs() for lane in self._lanes))
