"""What a service does by itself: pruning in small batches, and jobs that survive what fails."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from kernel.application.housekeeping import INBOX_KEPT, PRUNE_COUNT_MAX, Periodically, PruneInbox
from kernel.domain.errors import Unavailable
from kernel.domain.events import MessageId
from tests.memory.database import MemoryDatabase
from tests.memory.inbox import INBOX, MemoryInbox
from tests.memory.unit_of_work import MemoryUnitOfWork
from tests.unit.clock import RecordingClock


async def test_the_inbox_forgets_what_is_older_than_seven_days_in_small_batches() -> None:
    database, clock = MemoryDatabase(), RecordingClock()
    uow = MemoryUnitOfWork(database)
    inbox = MemoryInbox(uow, clock)
    assert timedelta(days=7) == INBOX_KEPT
    async with uow:
        for number in range(PRUNE_COUNT_MAX + 1):
            await inbox.claim_message(MessageId("old", str(number)))
    clock.advance(INBOX_KEPT.total_seconds())
    async with uow:
        await inbox.claim_message(MessageId("new", "1"))
    prune = PruneInbox(uow, inbox, clock)
    assert not await prune()
    assert len(database.rows(INBOX)) == PRUNE_COUNT_MAX + 2
    clock.advance(0.001)
    assert await prune()
    assert not await prune()
    assert [row.message for row in database.rows(INBOX)] == [MessageId("new", "1")]


async def slept_after(
    job: Callable[[], Awaitable[bool]], rounds: int, *, begins_at: float = 0.0
) -> list[float]:
    """How long it rests between so many rounds of the job."""
    clock, calls, enough = RecordingClock(), 0, asyncio.Event()
    clock.advance(begins_at)

    async def counted() -> bool:
        nonlocal calls
        calls += 1
        if calls == rounds:
            enough.set()
            await asyncio.Event().wait()
        return await job()

    task = asyncio.create_task(Periodically(counted, 10.0, clock).run())
    async with asyncio.timeout(5):
        await enough.wait()
    task.cancel()
    return clock.slept


async def test_a_job_is_done_at_once_while_there_is_more_to_do_and_then_now_and_then() -> None:
    more = [True, True, False, False]

    async def job() -> bool:
        return more.pop(0)

    assert await slept_after(job, 5) == [10.0, 10.0]


async def test_jobs_that_began_at_different_times_run_at_the_same_time() -> None:
    async def job() -> bool:
        return False

    assert await slept_after(job, 3, begins_at=3.0) == [7.0, 10.0]


async def test_a_timer_that_fires_early_does_not_make_the_job_run_twice() -> None:
    async def job() -> bool:
        return False

    (rest_s,) = await slept_after(job, 2, begins_at=9.999)
    assert rest_s == pytest.approx(10.001)


@pytest.mark.parametrize("error", [Unavailable("away"), ValueError("bug")])
async def test_a_job_that_fails_is_tried_again_next_time(error: Exception) -> None:
    async def job() -> bool:
        raise error

    assert await slept_after(job, 3) == [10.0, 10.0]
