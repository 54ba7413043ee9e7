"""The lanes of a service, each made of the same parts (docs/decisions/0023-lanes.md)."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from dishka import AsyncContainer, Provider, Scope, make_async_container

from kernel.adapters.lanes.lane import IsLost, LaneFinder

T = TypeVar("T")

LANE = Scope.SESSION
"""The scope of the parts of one lane. It lies between `APP`, the scope of the service, and `REQUEST`, the
scope of a transaction."""


def over_all(parts: Sequence[Any], join: Callable[[Sequence[Any]], T]) -> T:
    """Joins the objects of all lanes with `join`. If there is one lane, returns its object itself."""
    only: T = parts[0]
    return only if len(parts) == 1 else join(parts)


class Lanes:
    def __init__(self, containers: Sequence[AsyncContainer], is_lost: IsLost, *, servers: int) -> None:
        """`containers` are in the order of the lanes' numbers. `servers` is the number of servers."""
        self.containers = containers
        self.servers = servers
        self.is_lost = is_lost
        self.finder = LaneFinder(len(containers))

    @property
    def first(self) -> AsyncContainer:
        """The container of the lane that also keeps the data that belongs to no user."""
        return self.containers[0]

    async def over_all(self, part: Any, join: Callable[[Sequence[Any]], T]) -> T:
        """Gets `part` from the container of every lane, and joins them by the function `over_all`."""
        return over_all([await lane.get(part) for lane in self.containers], join)


def assembled(*providers: Provider) -> AsyncContainer:
    """Makes a container without a lock. With a lock, a part of the service would hold it while its parts in
    the lanes are made, and these would wait for it. Making a part awaits nothing else, so no part is made
    twice."""
    return make_async_container(*providers, lock_factory=None)
