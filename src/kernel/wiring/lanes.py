"""The lanes of a service, each made of the same parts (docs/decisions/0023-lanes.md)."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from dishka import AsyncContainer, Provider, Scope, make_async_container

from kernel.adapters.lanes.lane import IsLost, LaneFinder

T = TypeVar("T")

LANE = Scope.SESSION
"""The scope of the parts that each lane has for itself. It lies between `APP`, the service, and `REQUEST`, a
transaction."""


def over_all(parts: Sequence[Any], join: Callable[[Sequence[Any]], T]) -> T:
    """One object over the objects of all lanes, made by `join`. With one lane, its object itself."""
    only: T = parts[0]
    return only if len(parts) == 1 else join(parts)


class Lanes:
    def __init__(self, containers: Sequence[AsyncContainer], is_lost: IsLost, *, servers: int) -> None:
        """`containers` are in the order of the lanes' numbers; `servers` is how many servers hold
        them."""
        self.containers = containers
        self.servers = servers
        self.is_lost = is_lost
        self.finder = LaneFinder(len(containers))

    @property
    def first(self) -> AsyncContainer:
        """The lane that also keeps the data that belongs to no user."""
        return self.containers[0]

    async def over_all(self, part: Any, join: Callable[[Sequence[Any]], T]) -> T:
        """Gets `part` from the container of every lane, and joins them by the function `over_all`."""
        return over_all([await lane.get(part) for lane in self.containers], join)


def assembled(*providers: Provider) -> AsyncContainer:
    """A container without a lock. With one, a part of the service would hold the lock while its parts in the
    lanes are made, and these would wait for the lock. Making a part awaits nothing else, so no part is made
    twice."""
    return make_async_container(*providers, lock_factory=None)
