"""Operators see what waits in the outboxes of all lanes, also while the server of one lane is away."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from kernel.adapters.lanes.messages import FiguresOfLanes
from kernel.application.read_overview import ReadOverview
from kernel.application.set_aside import aside
from kernel.domain.errors import Unavailable
from kernel.domain.overview import SetAsideEvents, WaitingEvents
from tests.memory.clock import EPOCH
from tests.unit.kernel.application.operated import ADA

SOON, LATER = EPOCH, EPOCH + timedelta(seconds=1)


class Lane:
    def __init__(self, *waiting: WaitingEvents, revision: int = 9) -> None:
        self._waiting = waiting
        self._revision = revision

    async def waiting(self) -> Sequence[WaitingEvents]:
        return self._waiting

    async def parked(self) -> tuple[Mapping[str, int], Mapping[str, int]]:
        return {"refused": 1}, {"refused": 2}

    async def revision(self) -> int:
        return self._revision


class LaneThatIsAway:
    async def waiting(self) -> Sequence[WaitingEvents]:
        raise Unavailable("the database is away")

    parked: Any = waiting
    revision: Any = waiting


def overview_of(*lanes: Any) -> ReadOverview:
    part: Any = SimpleNamespace(healthy=True, paused=False)
    return ReadOverview("payments", "1", 9, FiguresOfLanes(lanes), part, part)


async def test_what_is_set_aside_for_a_lane_that_is_away_is_told_apart_from_what_waits() -> None:
    first = Lane(WaitingEvents("shop.a.v1", 3, LATER), WaitingEvents(aside(2), 5, LATER))
    second = Lane(WaitingEvents("shop.a.v1", 1, SOON), WaitingEvents(aside(2), 1, SOON), revision=8)
    seen = await overview_of(first, second, LaneThatIsAway())(ADA)
    assert seen.set_aside == [SetAsideEvents(2, 6, SOON)]
    assert seen.waiting == [WaitingEvents("shop.a.v1", 4, SOON)]
    assert (seen.schema, seen.parked, seen.held) == (8, {"refused": 2}, 4)


async def test_there_is_no_overview_when_all_lanes_are_away() -> None:
    with pytest.raises(Unavailable):
        await overview_of(LaneThatIsAway(), LaneThatIsAway())(ADA)
