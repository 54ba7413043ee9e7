"""What every clock promises, and what only the one of the tests does."""

import asyncio
from datetime import UTC, timedelta
from uuid import RFC_4122, UUID

import pytest

from kernel.adapters.system_clock import SystemClock
from kernel.ports.clock import Clock
from tests.memory.clock import MemoryClock


@pytest.fixture(params=[MemoryClock, SystemClock])
def clock(request: pytest.FixtureRequest) -> Clock:
    clock: Clock = request.param()
    return clock


async def test_the_time_is_in_utc_and_never_goes_back(clock: Clock) -> None:
    times = [clock.now() for _ in range(100)]
    assert all(time.tzinfo is UTC for time in times)
    assert times == sorted(times)


async def test_time_passes_while_one_sleeps(clock: Clock) -> None:
    before = clock.now()
    await clock.sleep(0.01)
    assert clock.now() - before >= timedelta(seconds=0.01)


async def test_sleeping_lets_others_have_their_turn(clock: Clock) -> None:
    other = asyncio.create_task(asyncio.sleep(0))
    await clock.sleep(0)
    await clock.sleep(0)
    assert other.done()


async def test_ids_are_uuid7_of_now_and_each_is_greater_than_those_before(clock: Clock) -> None:
    ids: list[UUID] = []
    for _ in range(5):
        ids += [clock.new_id() for _ in range(1000)]
        await clock.sleep(0.001)
    assert ids == sorted(set(ids))
    assert {(new.version, new.variant) for new in ids} == {(7, RFC_4122)}
    age_ms = clock.now().timestamp() * 1000 - (ids[-1].int >> 80)
    assert 0 <= age_ms < 1000


async def test_chance_is_at_least_0_and_below_1_and_differs(clock: Clock) -> None:
    drawn = [clock.random() for _ in range(1000)]
    assert all(0 <= value < 1 for value in drawn)
    assert len(set(drawn)) > 900


async def test_in_memory_the_same_seed_gives_the_same_ids_and_chances_and_another_others() -> None:
    one, same, other = MemoryClock(seed=1), MemoryClock(seed=1), MemoryClock(seed=2)
    assert [one.new_id(), one.random()] == [same.new_id(), same.random()]
    assert one.new_id() != other.new_id()
    assert one.random() != other.random()


async def test_in_memory_time_stands_still_unless_somebody_sleeps_or_advances_it() -> None:
    clock = MemoryClock()
    start = clock.now()
    await asyncio.sleep(0.01)
    assert clock.now() == start
    clock.advance(1.5)
    await asyncio.gather(clock.sleep(10), clock.sleep(20), clock.sleep(10))
    assert clock.now() - start == timedelta(seconds=21.5)
