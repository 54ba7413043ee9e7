"""The loop of a relay: what wakes it, what it waits for, and how it ends."""

import asyncio

import pytest

from kernel.application import relay
from kernel.application.gathering import INTERVAL_MAX_S
from kernel.application.relay import RelayResult
from kernel.application.relay_loop import Relay
from kernel.domain.errors import Contention, OutcomeUnknown, Unavailable
from tests.unit.clock import RecordingClock

FULL = RelayResult(200, full=True)
LAST = RelayResult(190, full=False)
NONE = RelayResult(0, full=False)
REMOVES_LATER = RelayResult(1, full=False, removes_later=True)


class Rounds:
    """Stands for RelayEvents: `results` are what its rounds give; after them there is nothing to send."""

    def __init__(self, *results: RelayResult | Exception) -> None:
        self.count = 0
        self._results = list(results)
        self._changed = asyncio.Condition()

    async def __call__(self) -> RelayResult:
        self.count += 1
        async with self._changed:
            self._changed.notify_all()
        result = self._results.pop(0) if self._results else NONE
        if isinstance(result, Exception):
            raise result
        return result

    async def reach(self, count: int) -> None:
        async with asyncio.timeout(5), self._changed:
            await self._changed.wait_for(lambda: self.count >= count)


async def running(rounds: Rounds, wake: asyncio.Event, clock: RecordingClock) -> asyncio.Task[None]:
    return asyncio.create_task(Relay(rounds, clock, wake=wake).run())


async def test_a_commit_wakes_the_relay() -> None:
    rounds, wake = Rounds(LAST, LAST), asyncio.Event()
    task = await running(rounds, wake, RecordingClock())
    await rounds.reach(1)
    for count in (2, 3):
        wake.set()
        await rounds.reach(count)
    task.cancel()
    assert rounds.count == 3


async def test_a_commit_while_a_round_is_under_way_is_not_forgotten() -> None:
    wake = asyncio.Event()

    class Meanwhile(Rounds):
        async def __call__(self) -> RelayResult:
            done = await super().__call__()
            if self.count == 1:
                wake.set()
            return done

    rounds = Meanwhile(LAST)
    task = await running(rounds, wake, RecordingClock())
    await rounds.reach(2)
    task.cancel()


async def test_a_commit_right_after_a_round_waits_for_company_while_the_process_is_busy() -> None:
    class Busy(RecordingClock):
        """A round takes a millisecond, and the process is never idle."""

        def monotonic(self) -> float:
            self.advance(0.001)
            return super().monotonic()

    clock, rounds, wake = Busy(), Rounds(LAST, LAST, LAST), asyncio.Event()
    task = asyncio.create_task(Relay(rounds, clock, wake=wake).run())
    await rounds.reach(1)
    clock.advance(1)
    wake.set()
    await rounds.reach(2)
    assert clock.slept == []
    wake.set()
    await rounds.reach(3)
    task.cancel()
    assert clock.slept == [pytest.approx(INTERVAL_MAX_S, abs=0.005)]


async def test_a_full_round_is_followed_by_another_at_once() -> None:
    rounds, clock = Rounds(FULL, FULL, FULL, LAST), RecordingClock()
    task = await running(rounds, asyncio.Event(), clock)
    await rounds.reach(4)
    task.cancel()
    assert clock.slept == []


async def test_failures_are_waited_out_longer_each_time_and_forgotten_after_a_success() -> None:
    errors = [Unavailable("away"), OutcomeUnknown("cut"), Contention("lost"), Unavailable("away")]
    rounds, clock = Rounds(*errors, FULL, Unavailable("away")), RecordingClock(chance=0.0)
    task = await running(rounds, asyncio.Event(), clock)
    await rounds.reach(7)
    task.cancel()
    assert clock.slept == pytest.approx([0.025, 0.05, 0.1, 0.2, 0.025])


async def test_a_bug_is_logged_and_the_relay_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    rounds = Rounds(ValueError("bug"), LAST)
    relay = await running(rounds, asyncio.Event(), RecordingClock())
    await rounds.reach(2)
    relay.cancel()
    assert "ValueError: bug" in caplog.text


async def test_a_relay_that_is_told_to_stop_publishes_what_waits_first() -> None:
    rounds = Rounds(NONE, FULL, FULL, LAST)
    relay = Relay(rounds, RecordingClock())
    task = asyncio.create_task(relay.run())
    await rounds.reach(1)
    relay.stop()
    async with asyncio.timeout(5):
        await task
    assert rounds.count == 4


async def test_a_relay_that_cannot_publish_stops_all_the_same() -> None:
    rounds, clock = Rounds(NONE, Unavailable("away")), RecordingClock()
    relay = Relay(rounds, clock)
    task = asyncio.create_task(relay.run())
    await rounds.reach(1)
    relay.stop()
    async with asyncio.timeout(5):
        await task
    assert (rounds.count, clock.slept) == (2, [])


async def test_a_relay_that_has_to_remove_something_soon_comes_back_unwoken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(relay, "REMOVED_AFTER_S", 0.001)
    rounds = Rounds(REMOVES_LATER)
    task = asyncio.create_task(Relay(rounds, RecordingClock()).run())
    await rounds.reach(2)
    task.cancel()


async def test_a_relay_that_is_told_to_stop_first_removes_what_it_published(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(relay, "REMOVED_AFTER_S", 3600.0)
    rounds = Rounds(NONE, REMOVES_LATER)
    stopped = Relay(rounds, RecordingClock())
    task = asyncio.create_task(stopped.run())
    await rounds.reach(1)
    stopped.stop()
    async with asyncio.timeout(5):
        await task
    assert rounds.count == 3
