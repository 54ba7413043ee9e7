"""Splits commands and other items by the lanes of their users."""

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
    """Groups items by lane, and keeps their order. Lanes without items are left out."""
    found: dict[int, list[T]] = {}
    for item in items:
        found.setdefault(lane_of(item), []).append(item)
    return found


async def of_each(parts: dict[int, list[T]], ask: Callable[[int, list[T]], Awaitable[R]]) -> list[R]:
    """Asks all lanes at once. Returns the answers in the order of `parts`, or raises the first error."""
    return await asyncio.gather(*(ask(lane, part) for lane, part in parts.items()))


async def of_those_that_answer(asked: Iterable[Awaitable[R]]) -> list[R]:
    """The answers of the lanes that are not away. Raises Unavailable if every lane is away."""
    found = await asyncio.gather(*asked, return_exceptions=True)
    errors = [one for one in found if isinstance(one, BaseException)]
    for error in errors:
        if not isinstance(error, Unavailable) or len(errors) == len(found):
            raise error
    return [one for one in found if not isinstance(one, BaseException)]


class OfLanes(Generic[T]):
    """The base of an adapter over all lanes. `lanes` has one adapter for each lane, in the lanes' order."""

    def __init__(self, lanes: Sequence[T]) -> None:
        self._lanes = lanes
        self._finder = LaneFinder(len(lanes))

    def _of_user(self, user_id: str) -> T:
        return self._lanes[self._finder.of_user(user_id)]

    def _of_order(self, order_id: UUID) -> T:
        return self._lanes[self._finder.of_order(order_id)]


class GroupsOfLanes(Generic[C, R]):
    """Passes each command to the group commit of its user's lane."""

    def __init__(self, groups: Sequence[GroupCommit[C, R]], is_lost: IsLost = never_lost) -> None:
        self._groups = groups
        self._is_lost = is_lost
        self._finder = LaneFinder(len(groups))

    async def __call__(self, command: C) -> R:
        return await self._reachable(self._finder.of_user(command.user_id))(command)

    async def submit(self, commands: Sequence[C]) -> list[R | Exception]:
        """Like GroupCommit.submit. If the commands belong to several lanes and one lane is Unavailable, only
        the commands of that lane fail."""
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
        """Raises Unavailable at once if the lane is lost, so that users of other lanes do not wait for it."""
        if self._is_lost(lane):
            raise Unavailable(f"the database of lane {lane} is away", code="database_unavailable")
        return self._groups[lane]
