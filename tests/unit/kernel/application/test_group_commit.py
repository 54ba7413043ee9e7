"""Group commit: who shares a batch with whom, and what becomes of a batch that fails."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.application.group_commit import REFUSED_AFTER_S, GroupCommit
from kernel.domain.errors import OutcomeUnknown, Unavailable
from tests.simulation.loop import VirtualLoop
from tests.unit.clock import RecordingClock
from tests.unit.kernel.application.store import Batch, Store


async def settle(awaited: Awaitable[object]) -> asyncio.Task[object]:
    """Started, and gone as far as it can."""
    task = asyncio.ensure_future(awaited)
    for _ in range(5):
        await asyncio.sleep(0)
    return task  # type: ignore[return-value]


async def test_a_call_alone_is_a_batch_of_its_own_and_waits_for_nothing() -> None:
    clock, store = RecordingClock(), Store()
    assert await GroupCommit(store, clock)(7) == "7"
    assert store.batches == [[7]]
    assert clock.slept == []


async def test_a_caller_that_calls_again_as_soon_as_it_is_answered_is_answered_again() -> None:
    group = GroupCommit(Store(), RecordingClock(), in_flight_max=1)
    async with asyncio.timeout(5):
        assert [await group(number) for number in range(3)] == ["0", "1", "2"]


async def test_calls_that_arrive_while_a_batch_is_in_flight_share_the_next_one() -> None:
    store = Store()
    store.gate.clear()
    group = GroupCommit(store, RecordingClock(), in_flight_max=1)
    calls = [await settle(group(number)) for number in range(5)]
    store.gate.set()
    assert await asyncio.gather(*calls) == ["0", "1", "2", "3", "4"]
    assert store.batches == [[0], [1, 2, 3, 4]]


async def test_full_batches_are_in_flight_beside_each_other_but_only_so_many() -> None:
    store = Store()
    store.gate.clear()
    group = GroupCommit(store, RecordingClock(), in_flight_max=2, batch_size_max=1)
    calls = [await settle(group(number)) for number in range(6)]
    assert store.batches == [[0], [1]]
    store.gate.set()
    assert await asyncio.gather(*calls) == [str(number) for number in range(6)]


async def test_a_batch_has_a_limit_and_the_rest_takes_the_next_one() -> None:
    store = Store()
    store.gate.clear()
    group = GroupCommit(store, RecordingClock(), in_flight_max=1, batch_size_max=4)
    calls = [await settle(group.submit(list(range(n * 3, n * 3 + 3)))) for n in range(4)]
    store.gate.set()
    await asyncio.gather(*calls)
    assert store.batches == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]]


async def batches_of_kinds(kinds: str, *, batch_size_max: int) -> list[str]:
    """The batches of calls that wait while one is in flight; each letter is a call of this kind."""
    store = Store()
    store.gate.clear()
    group = GroupCommit(store, RecordingClock(), batch_size_max=batch_size_max, kind_of=lambda number: number)
    calls = [await settle(group(ord(kind))) for kind in "-" + kinds]
    store.gate.set()
    assert await asyncio.gather(*calls) == [str(ord(kind)) for kind in "-" + kinds]
    return ["".join(map(chr, batch)) for batch in store.batches[1:]]


async def test_where_not_all_fits_a_batch_is_of_whole_kinds_and_the_oldest_come_first() -> None:
    assert await batches_of_kinds("abcabcab", batch_size_max=6) == ["aaabbb", "cc"]
    assert await batches_of_kinds("abcabcab", batch_size_max=5) == ["aaa", "bbbcc"]


async def test_what_fits_into_one_batch_waits_for_no_kind() -> None:
    assert await batches_of_kinds("abcabc", batch_size_max=6) == ["abcabc"]


async def test_a_kind_that_is_too_much_for_a_batch_is_cut() -> None:
    assert await batches_of_kinds("aabaaa", batch_size_max=3) == ["aaa", "aab"]


async def test_a_kind_whose_callers_fill_every_batch_does_not_keep_others_waiting() -> None:
    group = GroupCommit(Store(), RecordingClock(), batch_size_max=3, kind_of=lambda number: number)

    async def again_and_again() -> None:
        while True:
            await group(ord("a"))

    flood = [await settle(again_and_again()) for _ in range(10)]
    async with asyncio.timeout(5):
        assert await group(ord("b")) == str(ord("b"))
    for task in flood:
        task.cancel()


async def test_with_kinds_a_full_batch_does_not_run_beside_another() -> None:
    store = Store()
    store.gate.clear()
    group = GroupCommit(store, RecordingClock(), batch_size_max=1, kind_of=lambda number: number)
    calls = [await settle(group(number)) for number in range(3)]
    assert store.batches == [[0]]
    store.gate.set()
    assert await asyncio.gather(*calls) == ["0", "1", "2"]


async def test_the_commands_of_one_caller_stay_together_even_above_the_limit() -> None:
    store = Store()
    group = GroupCommit(store, RecordingClock(), batch_size_max=4)
    assert await group.submit(range(10)) == [str(number) for number in range(10)]
    assert store.batches == [list(range(10))]


@given(st.lists(st.lists(st.integers(), max_size=8), max_size=12), st.integers(1, 10), st.integers(1, 3))
async def test_every_caller_gets_its_own_outcomes_in_its_own_order(
    callers: list[list[int]], batch_size_max: int, in_flight_max: int
) -> None:
    def culprits(batch: Batch) -> None:
        if any(number % 7 == 3 for number in batch):
            raise ValueError("poison")

    group = GroupCommit(
        Store(culprits), RecordingClock(), batch_size_max=batch_size_max, in_flight_max=in_flight_max
    )
    answers = await asyncio.gather(*(group.submit(commands) for commands in callers))
    outcomes = [
        [answer if isinstance(answer, str) else type(answer) for answer in answered] for answered in answers
    ]
    assert outcomes == [[ValueError if n % 7 == 3 else str(n) for n in commands] for commands in callers]


async def test_a_caller_who_hangs_up_cancels_nothing_that_was_begun() -> None:
    store = Store()
    store.gate.clear()
    group = GroupCommit(store, RecordingClock(), in_flight_max=1)
    flying, waiting, other = [await settle(group(number)) for number in (1, 2, 3)]
    flying.cancel()
    waiting.cancel()
    store.gate.set()
    assert await other == "3"
    assert store.batches == [[1], [3]]
    assert flying.cancelled()
    assert waiting.cancelled()


def test_each_call_is_given_up_at_its_own_time() -> None:
    async def story() -> None:
        store = Store()
        store.gate.clear()
        group = GroupCommit(store, RecordingClock(), in_flight_max=1)
        begun = await settle(group(1))
        await asyncio.sleep(4)
        waiting = await settle(group(2))
        with pytest.raises(OutcomeUnknown):
            await begun
        assert loop.time() - began == pytest.approx(10)
        with pytest.raises(Unavailable):
            await waiting
        assert loop.time() - began == pytest.approx(14)
        in_time = await settle(group(3))
        store.gate.set()
        assert await in_time == "3"
        assert store.batches == [[1], [3]]

    loop = VirtualLoop()
    began = loop.time()
    try:
        loop.run_until_complete(story())
    finally:
        loop.end()


async def test_too_many_waiting_calls_are_refused_before_anything_is_done() -> None:
    store = Store()
    store.gate.clear()
    group = GroupCommit(store, RecordingClock(), in_flight_max=1, waiting_max=3)
    calls = [await settle(group(0)), await settle(group.submit([1, 2, 3]))]
    with pytest.raises(Unavailable) as refused:
        await group(4)
    assert refused.value.code == "overloaded"
    store.gate.set()
    assert await asyncio.gather(*calls) == ["0", ["1", "2", "3"]]
    assert await group(5) == "5"
    assert [4] not in store.batches


async def test_waiting_room_is_counted_in_commands() -> None:
    store = Store()
    store.gate.clear()
    group = GroupCommit(store, RecordingClock(), in_flight_max=1, waiting_max=3)
    calls = [await settle(group(0)), await settle(group.submit([1, 2]))]
    with pytest.raises(Unavailable):
        await group.submit([3, 4])
    calls.append(await settle(group(5)))
    store.gate.set()
    assert await asyncio.gather(*calls) == ["0", ["1", "2"], "5"]


async def test_while_the_oldest_call_waits_too_long_others_are_refused_after_a_moment() -> None:
    store, clock = Store(), RecordingClock()
    store.gate.clear()
    group = GroupCommit(store, clock, in_flight_max=1, wait_max_s=0.0)
    calls = [await settle(group(0)), await settle(group(1))]
    await asyncio.sleep(0.001)
    with pytest.raises(Unavailable) as refused:
        await group(2)
    assert refused.value.code == "overloaded"
    assert clock.slept == [REFUSED_AFTER_S]
    store.gate.set()
    assert await asyncio.gather(*calls) == ["0", "1"]
    assert await group(3) == "3"
    assert store.batches == [[0], [1], [3]]


async def test_under_overload_every_call_is_refused_or_done_once_and_none_hangs() -> None:
    done: list[int] = []

    async def slowly(batch: Batch) -> list[str | Exception]:
        await asyncio.sleep(0.001)
        done.extend(batch)
        return [str(number) for number in batch]

    group = GroupCommit(slowly, RecordingClock(), batch_size_max=5, wait_max_s=0.005)
    refusals = 0

    async def returning(number: int) -> None:
        nonlocal refusals
        while True:
            try:
                assert await group(number) == str(number)
                return
            except Unavailable:
                refusals += 1
                await asyncio.sleep(0.01 if number % 5 else 0)

    async with asyncio.timeout(20):
        await asyncio.gather(*map(returning, range(500)), *(later(returning, n) for n in range(500, 700)))
    assert refusals > 0
    assert sorted(done) == list(range(700))


async def later(act: Callable[[int], Awaitable[None]], number: int) -> None:
    await asyncio.sleep(0.02)
    await act(number)
