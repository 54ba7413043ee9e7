"""Commands of several lanes: each in its own, each with its own fate."""

from collections.abc import Sequence

import pytest

from kernel.adapters.lanes.groups import GroupsOfLanes
from kernel.adapters.lanes.lane import LaneFinder
from kernel.application.group_commit import GroupCommit
from kernel.domain.caller import ANYONE, Caller
from kernel.domain.errors import Unavailable
from kernel.domain.value import value
from tests.memory.clock import MemoryClock

LANES = 4


@value
class Wish:
    user_id: str
    caller: Caller = ANYONE


WISHES = [Wish(f"user-{number}") for number in range(40)]


class Lane:
    def __init__(self, number: int) -> None:
        self.number = number
        self.done: list[str] = []
        self.group = GroupCommit(self.execute, MemoryClock())

    async def execute(self, wishes: Sequence[Wish]) -> list[str | Exception]:
        self.done += [wish.user_id for wish in wishes]
        return [f"{wish.user_id} in {self.number}" for wish in wishes]


def of_lanes(lanes: Sequence[Lane]) -> GroupsOfLanes[Wish, str]:
    return GroupsOfLanes([lane.group for lane in lanes])


async def test_each_command_is_done_in_the_lane_of_its_user_and_answered_in_order() -> None:
    lanes = [Lane(number) for number in range(LANES)]
    finder = LaneFinder(LANES)
    answers = await of_lanes(lanes).submit(WISHES)
    assert answers == [f"{wish.user_id} in {finder.of_user(wish.user_id)}" for wish in WISHES]
    for lane in lanes:
        assert lane.done == [w.user_id for w in WISHES if finder.of_user(w.user_id) == lane.number]
    assert await of_lanes(lanes)(WISHES[0]) == answers[0]


async def test_a_lane_that_refuses_refuses_its_own_commands_only() -> None:
    lanes = [Lane(number) for number in range(LANES)]
    lanes[1].group = GroupCommit(lanes[1].execute, MemoryClock(), waiting_max=0)
    answers = await of_lanes(lanes).submit(WISHES)
    refused = {
        w.user_id for w, answer in zip(WISHES, answers, strict=True) if isinstance(answer, Unavailable)
    }
    assert refused == {w.user_id for w in WISHES if LaneFinder(LANES).of_user(w.user_id) == 1}
    assert len([answer for answer in answers if isinstance(answer, str)]) == len(WISHES) - len(refused)


async def test_a_call_of_one_lane_is_refused_as_a_whole() -> None:
    lanes = [Lane(number) for number in range(LANES)]
    lanes[LaneFinder(LANES).of_user("alice")].group = GroupCommit(
        lanes[0].execute, MemoryClock(), waiting_max=0
    )
    with pytest.raises(Unavailable):
        await of_lanes(lanes).submit([Wish("alice"), Wish("alice")])


async def test_a_lost_lane_is_refused_without_being_asked() -> None:
    lanes = [Lane(number) for number in range(LANES)]
    finder = LaneFinder(LANES)
    groups = GroupsOfLanes([lane.group for lane in lanes], lambda number: number == 1)
    outcomes = await groups.submit(WISHES)
    refused = {
        wish.user_id for wish, one in zip(WISHES, outcomes, strict=True) if isinstance(one, Unavailable)
    }
    assert refused == {wish.user_id for wish in WISHES if finder.of_user(wish.user_id) == 1}
    assert not lanes[1].done
