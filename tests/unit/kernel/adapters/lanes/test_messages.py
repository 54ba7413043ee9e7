"""Operators act on what waits in several lanes as if it waited in one."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from kernel.adapters.lanes.messages import InEachLane, ParkedReadingOfLanes, RecordedActsOfLanes
from kernel.application.operate import BeginOperation, HoldCause, OperateParked, ReleaseCause
from kernel.application.read_parked import ReadParked
from kernel.domain.errors import NotFound, Unavailable
from kernel.domain.parked import Group, Kind, OwnName
from tests.memory.operations import MemoryHeldCauses, MemoryOperations, MemoryParkedReading
from tests.memory.operator_record import MemoryOperatorRecord, MemoryRecordedActs
from tests.memory.unit_of_work import MemoryUnitOfWork
from tests.unit.clock import id_of
from tests.unit.kernel.application.operated import ADA, OperatedService, poisoned


class Operated:
    def __init__(
        self, lanes: Sequence[OperatedService], broken: Callable[[Any], Any] = lambda begin: begin
    ) -> None:
        """`broken` is what becomes of the last lane's way to begin."""
        self.lanes = lanes
        begin, hold, release = [], [], []
        for lane in lanes:
            uow = MemoryUnitOfWork(lane.database)
            record, held = MemoryOperatorRecord(uow), MemoryHeldCauses(uow)
            begin.append(BeginOperation(uow, MemoryOperations(uow), record))
            hold.append(HoldCause(uow, held, record))
            release.append(ReleaseCause(uow, held, record))
        reading = ParkedReadingOfLanes([MemoryParkedReading(lane.database) for lane in lanes])
        self.read = ReadParked(reading, OwnName("orders"))
        acts = InEachLane([*begin[:-1], broken(begin[-1])]), InEachLane(hold), InEachLane(release)
        self.operate = OperateParked(self.read, *acts, lanes[0].clock)

    async def group(self) -> Group:
        (only,) = await self.read.groups(ADA)
        return only

    async def recorded(self) -> list[str]:
        acts = RecordedActsOfLanes([MemoryRecordedActs(lane.database) for lane in self.lanes])
        return [act.did for act in await acts.page(after=None, count_max=100)]


async def test_an_operation_on_a_group_is_over_once_it_is_over_in_each_lane_that_has_some_of_it() -> None:
    lanes = [await poisoned(1, 2), await poisoned(), await poisoned(3)]
    shop = Operated(lanes)
    group = await shop.group()
    begun = await shop.operate.group(ADA, Kind.DISCARD, group.id, "a test")
    assert (begun.total, begun.state) == (3, "running")
    await lanes[0].work_off()
    half = await shop.read.operation(ADA, begun.id)
    assert (half.passed, half.done, half.state) == (2, 2, "running")
    await lanes[2].work_off()
    over = await shop.read.operation(ADA, begun.id)
    assert (over.passed, over.done, over.state) == (3, 3, "done")
    assert [lane.parked for lane in lanes] == [[], [], []]
    assert await shop.recorded() == ["discard_messages"]
    with pytest.raises(NotFound):
        await shop.operate.group(ADA, Kind.DISCARD, group.id, "a test")


async def test_a_message_is_replayed_where_it_waits() -> None:
    lanes = [await poisoned(1, 2), await poisoned(3)]
    shop = Operated(lanes)
    second = lanes[0].parked[1]
    begun = await shop.operate.message(ADA, Kind.REPLAY, second.id, "")
    assert begun.total == 1
    assert [await lane.work_off() for lane in lanes] == [True, False]
    assert [lane.replayed for lane in lanes] == [1, 0]
    with pytest.raises(NotFound):
        await shop.operate.message(ADA, Kind.REPLAY, id_of(999), "")


async def test_what_fails_in_one_lane_is_repeated_and_done_once_in_the_others() -> None:
    lanes, failures = [await poisoned(1), await poisoned(2)], [Unavailable("away")]

    def failing(begin: Any) -> Any:
        async def once(*given: Any) -> None:
            if failures:
                raise failures.pop()
            await begin(*given)

        return once

    shop = Operated(lanes, failing)
    begun = await shop.operate.group(ADA, Kind.REPLAY, (await shop.group()).id, "")
    assert begun.total == 2
    assert [await lane.work_off() for lane in lanes] == [True, True]
    assert [await lane.work_off() for lane in lanes] == [False, False]
    assert [lane.replayed for lane in lanes] == [1, 1]
    assert await shop.recorded() == ["replay_messages"]


async def test_a_group_is_held_and_released_in_all_lanes_also_for_what_is_to_come() -> None:
    lanes = [await poisoned(1), await poisoned()]
    shop = Operated(lanes)
    group = await shop.group()
    await shop.operate.hold(ADA, group.id, owner="ada", note="", ticket="")
    holds = [await MemoryParkedReading(lane.database).held() for lane in lanes]
    assert [[hold.owner for hold in held.values()] for held in holds] == [["ada"], ["ada"]]
    await shop.operate.release(ADA, group.id, "")
    assert [await MemoryParkedReading(lane.database).held() for lane in lanes] == [{}, {}]
    assert await shop.recorded() == ["release_group", "hold_group"]
