"""A step is computed once for all processes; the newest ones again, now and then."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from kernel.domain.caller import ANYONE, Caller, Role
from kernel.domain.errors import Forbidden, Unavailable
from orders.application.prune_figures import PruneFigures
from orders.application.read_series import ComputeSeries, ReadSeries
from orders.domain.series import KEPT, STEP, STEPS_SHOWN, Measured, Step
from tests.memory.audit import MemoryAuditRuns
from tests.memory.clock import EPOCH, MemoryClock
from tests.memory.database import MemoryDatabase
from tests.memory.series import MemorySeries
from tests.memory.unit_of_work import MemoryUnitOfWork


class Orders:
    """Counts how often each step is measured; fails from the given measurement on."""

    def __init__(self) -> None:
        self.measured: list[datetime] = []
        self.fails_from = 10**9

    async def measure(self, start: datetime, end: datetime, *, sample_max: int) -> Measured:
        await asyncio.sleep(0)
        if len(self.measured) >= self.fails_from:
            raise Unavailable("the database is away")
        self.measured.append(start)
        return Measured(len(self.measured), 0, [])


class Replicas:
    """Any number of processes on one database."""

    def __init__(self) -> None:
        self.database, self.clock, self.orders = MemoryDatabase(), MemoryClock(), Orders()
        self.clock.advance(3600)

    def process(self) -> ReadSeries:
        async def compute() -> Sequence[Step]:
            uow = MemoryUnitOfWork(self.database)
            return await ComputeSeries(uow, self.orders, MemorySeries(uow), self.clock)()

        return ReadSeries(compute)

    def measured(self) -> list[float]:
        """How many seconds ago each of the measured steps began; then begins to count anew."""
        found = [(self.clock.now() - start).total_seconds() for start in self.orders.measured]
        self.orders.measured.clear()
        return found


async def test_the_first_replica_that_is_asked_computes_and_all_show_the_same() -> None:
    shop = Replicas()
    one, other = shop.process(), shop.process()
    first = await one(ANYONE)
    assert len(first) == len(shop.measured()) == STEPS_SHOWN
    assert await other(ANYONE) == first
    assert shop.measured() == []


async def test_only_what_is_open_or_has_just_ended_is_computed_again() -> None:
    shop = Replicas()
    process = shop.process()
    await process(ANYONE)
    shop.clock.advance(4.9)
    await process(ANYONE)
    assert shop.measured()[STEPS_SHOWN:] == []
    shop.clock.advance(0.1)
    await process(ANYONE)
    assert shop.measured() == [20.0, 5.0]
    shop.clock.advance(600)
    await process(ANYONE)
    assert [ago for ago in shop.measured() if ago > 600] == [620.0, 605.0]


async def test_of_many_callers_in_a_process_one_computes() -> None:
    shop = Replicas()
    process = shop.process()
    found = await asyncio.gather(*(process(ANYONE) for _ in range(5)))
    assert all(steps == found[0] for steps in found)
    assert len(shop.measured()) == STEPS_SHOWN


async def test_a_reader_that_is_cut_off_has_not_computed_in_vain() -> None:
    shop = Replicas()
    shop.orders.fails_from = 40
    with pytest.raises(Unavailable):
        await shop.process()(ANYONE)
    assert len(shop.measured()) == 40
    shop.orders.fails_from = 10**9
    await shop.process()(ANYONE)
    assert len(shop.measured()) == STEPS_SHOWN - 40


async def test_the_series_is_for_callers_who_see_all() -> None:
    shop = Replicas()
    with pytest.raises(Forbidden):
        await shop.process()(Caller(Role.USER, "alice"))
    assert shop.measured() == []


async def test_steps_are_kept_for_an_hour() -> None:
    shop = Replicas()
    await shop.process()(ANYONE)
    shop.clock.advance(KEPT.total_seconds() - 60)
    uow = MemoryUnitOfWork(shop.database)
    prune = PruneFigures(uow, MemorySeries(uow), MemoryAuditRuns(uow), shop.clock)
    assert await prune() is False
    async with uow:
        left = await MemorySeries(uow).since(EPOCH)
    assert shop.clock.now() - left[0].start <= KEPT
    assert left[-1].start - left[0].start >= timedelta(seconds=45)
    assert STEP * len(left) <= timedelta(minutes=2)
