"""Group commit: how long a batch waits for company, and for whom."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from kernel.application.gathering import COMPANY_MAX_S
from kernel.application.group_commit import BESIDE_AFTER_S, GroupCommit
from tests.simulation.loop import VirtualLoop
from tests.unit.clock import RecordingClock

TAKES_S = 0.01
Batches = list[tuple[float, list[int]]]


class SlowStore:
    """Keeps when each batch began, and what was in it."""

    def __init__(self, takes_s: float = TAKES_S) -> None:
        self.batches: Batches = []
        self._takes_s = takes_s

    async def __call__(self, batch: Sequence[int]) -> Sequence[int]:
        self.batches.append((round(asyncio.get_running_loop().time(), 6), list(batch)))
        await asyncio.sleep(self._takes_s)
        return batch


def told(story: Callable[[], Awaitable[Batches]]) -> Batches:
    """The lines of a story that begins at 0, in virtual time."""
    loop = VirtualLoop()
    try:
        began = loop.time()
        return [(at - began, numbers) for at, numbers in loop.run_until_complete(story())]
    finally:
        loop.end()


async def calls(group: GroupCommit[int, int], number: int, *after_s: float) -> None:
    """Makes a call after each delay, the next one once it is answered."""
    for delay_s in after_s:
        await asyncio.sleep(delay_s)
        await group(number)


def test_callers_who_call_again_a_moment_later_share_the_next_batch() -> None:
    async def story() -> Batches:
        group, store = grouped()
        await asyncio.gather(calls(group, 1, 0, 0), calls(group, 2, 0, 0.002), calls(group, 3, 0, 0.004))
        return store.batches

    assert told(story) == [(0, [1, 2, 3]), (pytest.approx(0.014), [1, 2, 3])]


def test_a_caller_who_does_not_come_again_holds_up_the_others_for_half_a_batch() -> None:
    async def story() -> Batches:
        group, store = grouped()
        await asyncio.gather(calls(group, 1, 0, 0, 0), calls(group, 2, 0))
        return store.batches

    assert told(story) == [(0, [1, 2]), (pytest.approx(0.015), [1]), (pytest.approx(0.025), [1])]


def test_a_caller_alone_waits_for_nobody() -> None:
    async def story() -> Batches:
        group, store = grouped()
        await calls(group, 1, 0, 0, 0.001)
        return store.batches

    assert told(story) == [(0, [1]), (pytest.approx(0.01), [1]), (pytest.approx(0.021), [1])]


def test_a_call_some_time_after_the_last_batch_waits_for_nobody() -> None:
    async def story() -> Batches:
        group, store = grouped()
        await asyncio.gather(calls(group, 1, 0, 0.006), calls(group, 2, 0))
        return store.batches

    assert told(story) == [(0, [1, 2]), (pytest.approx(0.016), [1])]


def test_after_a_batch_that_took_long_company_is_waited_for_no_longer_than_after_others() -> None:
    async def story() -> Batches:
        group, store = grouped(takes_s=5)
        await asyncio.gather(calls(group, 1, 0, 0), calls(group, 2, 0))
        return store.batches

    assert told(story) == [(0, [1, 2]), (pytest.approx(5 + COMPANY_MAX_S), [1])]


def test_a_batch_that_takes_long_does_not_hold_up_what_waits() -> None:
    async def story() -> Batches:
        group, store = grouped(takes_s=5)
        await asyncio.gather(calls(group, 1, 0), calls(group, 2, 0.05), calls(group, 3, 0.06))
        return store.batches

    assert told(story) == [(0, [1]), (pytest.approx(BESIDE_AFTER_S), [2, 3])]


def grouped(takes_s: float = TAKES_S) -> tuple[GroupCommit[int, int], SlowStore]:
    store = SlowStore(takes_s)
    return GroupCommit(store, RecordingClock()), store
