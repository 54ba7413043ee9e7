"""The counters of one process: each costs the same beside many, and goes when its window is over."""

import time
from collections.abc import Awaitable, Callable

import pytest
from limits import parse

from kernel.adapters.rate_limits.counters import Counters
from kernel.adapters.rate_limits.in_memory import CountersInMemory

WINDOW_S = 60
RATE = parse("5/minute")


class Time:
    """The time of the wall clock, by which windows are told apart."""

    def __init__(self) -> None:
        self.now = 1_000_000 * float(WINDOW_S)

    def time(self) -> float:
        return self.now


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Time:
    wall = Time()
    monkeypatch.setattr(time, "time", wall.time)
    return wall


async def admitted(counters: Counters, who: str, calls: int) -> int:
    return sum([await counters.seconds_until_allowed((who,), counted=True) is None for _ in range(calls)])


async def test_however_often_somebody_calls_two_numbers_are_kept_of_them(wall: Time) -> None:
    storage = CountersInMemory()
    counters = Counters(RATE, storage)
    for _ in range(10):
        await admitted(counters, "alice", 50)
        wall.now += WINDOW_S
    assert len(storage) <= 2


async def test_calls_of_the_last_window_count_as_far_as_they_are_within_reach(wall: Time) -> None:
    counters = Counters(RATE, CountersInMemory())
    assert await admitted(counters, "alice", 9) == 5
    wall.now += WINDOW_S  # All five are within reach still.
    assert await admitted(counters, "alice", 9) == 0
    wall.now += WINDOW_S * 0.41  # Three of them, by their share of the window.
    assert await admitted(counters, "alice", 9) == 3
    wall.now += WINDOW_S * 2
    assert await admitted(counters, "alice", 9) == 5


async def test_a_refusal_says_when_the_next_call_passes(wall: Time) -> None:
    counters = Counters(RATE, CountersInMemory())
    wall.now += 20
    await admitted(counters, "alice", 5)
    for _ in range(5):
        wait_s = await counters.seconds_until_allowed(("alice",), counted=True)
        assert wait_s is not None
        assert 0 < wait_s <= WINDOW_S
        wall.now += wait_s + 0.001
        assert await counters.seconds_until_allowed(("alice",), counted=True) is None


async def test_asking_counts_nothing(wall: Time) -> None:
    counters = Counters(RATE, CountersInMemory())
    for _ in range(9):
        assert await counters.seconds_until_allowed(("alice",), counted=False) is None
    assert await admitted(counters, "alice", 9) == 5
    assert await counters.seconds_until_allowed(("alice",), counted=False) is not None


async def test_a_counter_is_removed_when_its_windows_are_over_whoever_calls_or_not(wall: Time) -> None:
    storage = CountersInMemory()
    counters = Counters(RATE, storage)
    for number in range(1000):
        await admitted(counters, f"user-{number}", 1)
    wall.now += WINDOW_S
    await admitted(counters, "alice", 1)
    assert len(storage) == 1001
    wall.now += WINDOW_S
    await admitted(counters, "bob", 1)
    assert len(storage) == 2
    wall.now += 2 * WINDOW_S
    storage.remove_ended()
    assert (len(storage), len(storage.storage), len(storage.locks)) == (0, 0, 0)


async def test_there_are_only_so_many_counters_and_the_oldest_makes_room(wall: Time) -> None:
    storage = CountersInMemory(counters_max=100)
    counters = Counters(RATE, storage)
    for number in range(1000):
        await admitted(counters, f"user-{number}", 5)
    assert len(storage) == 100
    assert await admitted(counters, "user-999", 1) == 0


async def seconds_of(work: Callable[[], Awaitable[object]], times: int) -> float:
    """The fastest of several measurements: others use this machine, too."""
    found = []
    for _ in range(5):
        started = time.perf_counter()
        for _ in range(times):
            await work()
        found.append(time.perf_counter() - started)
    return min(found)


async def test_a_call_costs_the_same_beside_many_counters() -> None:
    async def cost_beside(others: int) -> float:
        counters = Counters(parse("1000000/minute"), CountersInMemory())
        for number in range(others):
            await counters.seconds_until_allowed((str(number),), counted=True)
        return await seconds_of(lambda: counters.seconds_until_allowed(("alice",), counted=True), 100)

    assert await cost_beside(20_000) < 10 * await cost_beside(1)
