"""Operators' reads of messages, and their changes to messages, over all lanes."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from heapq import merge
from itertools import groupby, islice
from operator import attrgetter
from typing import Generic, ParamSpec
from uuid import UUID

from kernel.adapters.lanes.groups import of_those_that_answer
from kernel.adapters.lanes.lane import LaneFinder
from kernel.domain.acts import Act, Place
from kernel.domain.errors import NotFound
from kernel.domain.facts import Part
from kernel.domain.overview import WaitingEvents
from kernel.domain.parked import Cause, Figures, Hold, Operation, Waiting
from kernel.ports.facts import MessagingFacts
from kernel.ports.figures import MessagingFigures
from kernel.ports.operator_record import RecordedActs
from kernel.ports.parked import ParkedReading
from kernel.ports.pauses import Standing, StandingReading

P = ParamSpec("P")


class ParkedReadingOfLanes:
    def __init__(self, lanes: Sequence[ParkedReading]) -> None:
        self._lanes = lanes

    async def page(
        self, *, cause: Cause | None = None, after: UUID | None = None, count_max: int
    ) -> Sequence[Waiting]:
        asked = (lane.page(cause=cause, after=after, count_max=count_max) for lane in self._lanes)
        return list(islice(merge(*await asyncio.gather(*asked), key=attrgetter("id")), count_max))

    async def find(self, message: UUID) -> Waiting | None:
        found = await asyncio.gather(*(lane.find(message) for lane in self._lanes))
        return next(filter(None, found), None)

    async def causes(self) -> Mapping[Cause, Figures]:
        joined: dict[Cause, Figures] = {}
        for causes in await asyncio.gather(*(lane.causes() for lane in self._lanes)):
            for cause, figures in causes.items():
                joined[cause] = _sum(joined[cause], figures) if cause in joined else figures
        return joined

    async def held(self) -> Mapping[Cause, Hold]:
        found = await asyncio.gather(*(lane.held() for lane in self._lanes))
        return {cause: hold for held in found for cause, hold in held.items()}

    async def operation(self, id: UUID) -> Operation | None:
        """Sums up the operation's parts: one in each lane that had such messages. None without parts."""
        found = await asyncio.gather(*(lane.operation(id) for lane in self._lanes))
        begun = [one for one in found if one is not None]
        if not begun:
            return None
        ended = [one.ended_at for one in begun if one.ended_at is not None]
        return replace(
            begun[0],
            total=sum(one.total for one in begun),
            passed=sum(one.passed for one in begun),
            done=sum(one.done for one in begun),
            ended_at=max(ended) if len(ended) == len(begun) else None,
        )


class InEachLane(Generic[P]):
    """Runs an operator's command in one lane after the other. A lane that has run a command does not run it
    again, so the operator can repeat the command after a failure."""

    def __init__(self, lanes: Sequence[Callable[P, Awaitable[None]]]) -> None:
        self._lanes = lanes

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Raises NotFound if every lane raises it."""
        missing = []
        for act in self._lanes:
            try:
                await act(*args, **kwargs)
            except NotFound as error:
                missing.append(error)
        if len(missing) == len(self._lanes):
            raise missing[0]


class StandingOfLanes:
    def __init__(self, lanes: Sequence[StandingReading]) -> None:
        self._lanes = lanes

    async def standing(self) -> Standing:
        """The pause is stored in the first lane, so this raises Unavailable while the first lane is away. The
        waiting events of other lanes that are away are left out."""
        first = asyncio.ensure_future(self._lanes[0].standing())
        asked = (first, *(lane.standing() for lane in self._lanes[1:]))
        found = await of_those_that_answer(asked)
        waiting = [one.waiting_since for one in found if one.waiting_since]
        return Standing(min(waiting, default=None), (await first).pause)


class FiguresOfLanes:
    """The figures of the lanes that answer. Operators need these figures most while a server is away. The
    health endpoint reports that server."""

    def __init__(self, lanes: Sequence[MessagingFigures]) -> None:
        self._lanes = lanes

    async def waiting(self) -> Sequence[WaitingEvents]:
        joined: dict[str, WaitingEvents] = {}
        for found in await of_those_that_answer(lane.waiting() for lane in self._lanes):
            for one in found:
                known = joined.get(one.type, WaitingEvents(one.type, 0, one.since))
                joined[one.type] = WaitingEvents(
                    one.type, known.count + one.count, min(known.since, one.since)
                )
        return [joined[name] for name in sorted(joined)]

    async def parked(self) -> tuple[Mapping[str, int], Mapping[str, int]]:
        found = await of_those_that_answer(lane.parked() for lane in self._lanes)
        parked, held = Counter[str](), Counter[str]()
        for parked_here, held_here in found:
            parked.update(parked_here)
            held.update(held_here)
        return parked, held

    async def revision(self) -> int:
        """The lowest schema revision of the lanes that answer."""
        return min(await of_those_that_answer(lane.revision() for lane in self._lanes))


class FactsOfLanes:
    def __init__(self, lanes: Sequence[MessagingFacts]) -> None:
        self._lanes = lanes
        self._finder = LaneFinder(len(lanes))

    async def about(self, subject: UUID) -> Part:
        return await self._lanes[self._finder.of_order(subject)].about(subject)


class RecordedActsOfLanes:
    def __init__(self, lanes: Sequence[RecordedActs]) -> None:
        self._lanes = lanes

    async def page(self, *, after: Place | None, count_max: int) -> Sequence[Act]:
        """A page of acts. An act on several lanes is recorded in each of them, but returned once."""
        found = await asyncio.gather(*(lane.page(after=after, count_max=count_max) for lane in self._lanes))
        in_order = merge(*found, key=attrgetter("place"), reverse=True)
        return [act for act, _ in islice(groupby(in_order), count_max)]


def _sum(one: Figures, other: Figures) -> Figures:
    first = min(one, other, key=lambda figures: figures.sample.id)
    return replace(
        first,
        messages=one.messages + other.messages,
        count=one.count + other.count,
        oldest_at=min(one.oldest_at, other.oldest_at),
        newest_at=max(one.newest_at, other.newest_at),
    )
