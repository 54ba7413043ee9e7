"""Waiting between failures: longer each time, never long, and never in step."""

import pytest

from kernel.application.backoff import Backoff
from tests.unit.clock import RecordingClock


async def waits(clock: RecordingClock, backoff: Backoff, count: int) -> list[float]:
    for _ in range(count):
        await backoff.wait()
    return clock.slept[-count:]


async def test_the_wait_doubles_with_every_failure_up_to_two_seconds() -> None:
    clock = RecordingClock(chance=1.0)
    assert await waits(clock, Backoff(clock), 9) == pytest.approx([0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2, 2, 2])


async def test_half_of_the_wait_is_chance() -> None:
    shortest, longest = RecordingClock(chance=0.0), RecordingClock(chance=1.0)
    least = await waits(shortest, Backoff(shortest), 8)
    most = await waits(longest, Backoff(longest), 8)
    assert [2 * seconds for seconds in least] == pytest.approx(most)


async def test_the_wait_never_exceeds_its_limit_however_many_failures_there_were() -> None:
    clock = RecordingClock(chance=1.0)
    assert max(await waits(clock, Backoff(clock), 2000)) == 2.0


async def test_after_a_success_it_starts_anew() -> None:
    clock = RecordingClock(chance=0.5)
    backoff = Backoff(clock)
    first, *_ = await waits(clock, backoff, 5)
    backoff.reset()
    assert await waits(clock, backoff, 1) == [first]
