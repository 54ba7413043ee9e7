"""Splits commands, and other items about users, by the lanes of the users."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Generic, TypeVar
from uuid import UUID

from kernel.adapters.lanes.lane import IsLost, LaneFinder, never_lost
from kernel.application.group_commit import GroupCommit
from kernel.domain.acts import Command
from kernel.domain.errors import Unavailable

T = TypeVar("T")
C = TypeVar("C", bound=Command)
R = TypeVar("R")


def by_lane(items: Iterable[T], lane_of: Callable[[T], int]) -> dict[int, list[T]]:
    """The items of each lane, in their order; lanes without items are left out."""
    found: dict[int, list[T]] = {}
    for item in items:
        found.setdefault(lane_of(item), []).append(item)
    return found


async def of_each(parts: dict[int, list[T]], ask: Callable[[int, list[T]], Awaitable[R]]) -> list[R]:
    """The answer of each lane about its part. All lanes are asked at once; the first error is raised."""
    return await asyncio.gather(*(ask(lane, part) for lane, part in parts.items()))


async def of_those_that_answer(asked: Iterable[Awaitable[R]]) -> list[R]:
    """The answers, without those of lanes that are away. Raises Unavailable if no lane answers."""
    found = await asyncio.gather(*asked, return_exceptions=True)
    errors = [one for one in found if isinstance(one, BaseException)]
    for error in errors:
        if not isinstance(error, Unavailable) or len(errors) == len(found):
            raise error
    return [one for one in found if not isinstance(one, BaseException)]


class OfLanes(Generic[T]):
    """A port over all lanes begins with this: `lanes` are the adapters of the lanes, in their order."""

    def __init__(self, lanes: Sequence[T]) -> None:
        self._lanes = lanes
        self._finder = LaneFinder(len(lanes))

    def _of_user(self, user_id: str) -> T:
        return self._lanes[self._finder.of_user(user_id)]

    def _of_order(self, order_id: UUID) -> T:
        return self._lanes[self._finder.of_order(order_id)]


class GroupsOfLanes(Generic[C, R]):
    """Each command joins the group commit of its user's lane."""

    def __init__(self, groups: Sequence[GroupCommit[C, R]], is_lost: IsLost = never_lost) -> None:
        self._groups = groups
        self._is_lost = is_lost
        self._finder = LaneFinder(len(groups))

    async def __call__(self, command: C) -> R:
        return await self._reachable(self._finder.of_user(command.user_id))(command)

    async def submit(self, commands: Sequence[C]) -> list[R | Exception]:
        """Like GroupCommit.submit. If the commands belong to several lanes, a lane that is Unavailable
        refuses only its own commands."""
        lanes = [self._finder.of_user(command.user_id) for command in commands]
        if len(set(lanes)) == 1:
            return await self._reachable(lanes[0]).submit(commands)
        outcomes: dict[int, R | Exception] = {}

        async def submit_part(lane: int, places: list[int]) -> None:
            try:
                found = await self._reachable(lane).submit([commands[place] for place in places])
            except Unavailable as error:
                found = [error] * len(places)
            outcomes.update(zip(places, found, strict=True))

        await of_each(by_lane(range(len(commands)), lanes.__getitem__), submit_part)
        return [outcomes[place] for place in range(len(commands))]

    def _reachable(self, lane: int) -> GroupCommit[C, R]:
        """Raises Unavailable at once for a lost lane, because users of other lanes may share the call."""
        if self._is_lost(lane):
            raise Unavailable(f"the database of lane {lane} is away", code="database_unavailable")
        return self._groups[lane]
