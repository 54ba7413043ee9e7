"""What becomes of a batch that fails."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from kernel.application.batch_attempts import ATTEMPTS_MAX
from kernel.application.group_commit import ANSWER_WITHIN_S, GroupCommit
from kernel.domain.errors import Contention, OutcomeUnknown, Refused, Unavailable
from tests.unit.clock import START, RecordingClock
from tests.unit.kernel.application.store import Batch, Store


def failing(*errors: Exception | None) -> Callable[[Batch], None]:
    """Raises the errors one after the other, the last one for ever; None is a success."""
    waiting = list(errors)

    def react(_: Batch) -> None:
        error = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if error is not None:
            raise error

    return react


def locked_by_others(number: int) -> Callable[[Batch], None]:
    def react(batch: Batch) -> None:
        if number in batch:
            raise Contention("lock timeout")

    return react


def poisoned_by(*culprits: int) -> Callable[[Batch], None]:
    def react(batch: Batch) -> None:
        if set(batch) & set(culprits):
            raise ValueError("poison")

    return react


async def test_an_outcome_that_is_an_error_is_raised_to_its_own_caller_only() -> None:
    async def execute(batch: Batch) -> list[str | Exception]:
        return [Refused("balance_limit", "no") if number == 1 else "done" for number in batch]

    group = GroupCommit(execute, RecordingClock(), in_flight_max=1)
    answers = await asyncio.gather(*(group(number) for number in range(3)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [str, Refused, str]


async def test_halving_isolates_the_culprits_and_all_the_others_are_done() -> None:
    store = Store(poisoned_by(3, 60))
    outcomes = await GroupCommit(store, RecordingClock()).submit(range(100))
    assert [n for n, outcome in enumerate(outcomes) if isinstance(outcome, ValueError)] == [3, 60]
    done = [batch for batch in store.batches if not {3, 60} & set(batch)]
    assert sorted(number for batch in done for number in batch) == [n for n in range(100) if n not in {3, 60}]
    assert len(store.batches) < 2 * 2 * 8


async def test_a_lost_race_is_run_again_with_the_same_commands_and_nobody_notices() -> None:
    store = Store(failing(Contention(), Contention(), None))
    clock = RecordingClock()
    assert await GroupCommit(store, clock).submit([1, 2]) == ["1", "2"]
    assert store.batches == [[1, 2]] * 3
    assert len(clock.slept) == 2


async def test_after_five_lost_races_the_batch_is_halved_so_that_it_stops_fighting_itself() -> None:
    def two_at_once(batch: Batch) -> None:
        if len(batch) > 1:
            raise Contention

    store = Store(two_at_once)
    assert await GroupCommit(store, RecordingClock()).submit([1, 2]) == ["1", "2"]
    assert store.batches == [[1, 2]] * ATTEMPTS_MAX + [[1], [2]]
    assert ATTEMPTS_MAX == 5


async def test_a_call_that_loses_every_race_is_told_so() -> None:
    store = Store(failing(Contention("lost")))
    with pytest.raises(Unavailable) as busy:
        await GroupCommit(store, RecordingClock())(1)
    assert busy.value.code == "overloaded"
    assert store.batches == [[1]] * 5


async def test_a_lock_that_somebody_keeps_costs_a_batch_its_attempts_only_once() -> None:
    store = Store(locked_by_others(3))
    outcomes = await GroupCommit(store, RecordingClock()).submit([1, 2, 3, 4])
    assert [str(outcome) for outcome in outcomes if not isinstance(outcome, Unavailable)] == ["1", "2", "4"]
    assert store.batches == [[1, 2, 3, 4]] * 5 + [[1, 2], [3, 4], [3], [4]]


async def test_after_a_lost_answer_the_repeat_takes_the_place_of_the_act() -> None:
    act, repeat = Store(failing(OutcomeUnknown("cut"))), Store(failing(Unavailable("away"), None))
    assert await GroupCommit(act, RecordingClock(), repeat=repeat).submit([1, 2]) == ["1", "2"]
    assert (act.batches, repeat.batches) == ([[1, 2]], [[1, 2]] * 2)


async def test_a_store_that_is_away_is_asked_once_more() -> None:
    store = Store(failing(Unavailable("stale connection"), None))
    assert await GroupCommit(store, RecordingClock()).submit([1, 2]) == ["1", "2"]
    assert store.batches == [[1, 2]] * 2


async def test_a_store_that_is_away_after_a_lost_race_is_asked_once_more_too() -> None:
    store = Store(failing(Contention("lost"), Unavailable("away"), None))
    assert await GroupCommit(store, RecordingClock())(7) == "7"
    assert store.batches == [[7], [7], [7]]


async def test_a_store_that_stays_away_is_told_to_all_and_nothing_is_halved() -> None:
    store = Store(failing(Unavailable("away")))
    outcomes = await GroupCommit(store, RecordingClock()).submit([1, 2, 3])
    assert [type(outcome) for outcome in outcomes] == [Unavailable] * 3
    assert store.batches == [[1, 2, 3]] * 2


async def test_after_a_lost_answer_the_same_commands_find_out_what_became_of_them() -> None:
    store = Store(failing(OutcomeUnknown("cut"), Unavailable("away"), Unavailable("away"), None))
    assert await GroupCommit(store, RecordingClock()).submit([1, 2]) == ["1", "2"]
    assert store.batches == [[1, 2]] * 4


@pytest.mark.parametrize("then", [OutcomeUnknown("cut again"), Unavailable("away"), Contention("lost")])
async def test_an_outcome_that_is_not_known_within_ten_seconds_is_told_as_unknown(then: Exception) -> None:
    clock, store = RecordingClock(), Store(failing(OutcomeUnknown("cut"), then))
    outcomes = await GroupCommit(store, clock).submit([1, 2])
    assert [type(outcome) for outcome in outcomes] == [OutcomeUnknown] * 2
    assert all(batch == [1, 2] for batch in store.batches)
    assert timedelta(seconds=10) <= clock.now() - START <= timedelta(seconds=12.5)
    assert ANSWER_WITHIN_S == 10


async def test_a_call_that_may_be_done_is_never_told_as_not_done_even_if_a_neighbour_is_a_culprit() -> None:
    store = Store(failing(OutcomeUnknown("cut"), ValueError("poison"), Unavailable("away")))
    outcomes = await GroupCommit(store, RecordingClock()).submit([1, 2])
    assert not any(isinstance(outcome, Unavailable) for outcome in outcomes)


async def test_a_culprit_that_may_be_done_is_told_as_unknown() -> None:
    store = Store(failing(OutcomeUnknown("cut"), ValueError("poison")))
    with pytest.raises(OutcomeUnknown):
        await GroupCommit(store, RecordingClock())(1)
