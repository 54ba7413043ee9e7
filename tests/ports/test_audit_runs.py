"""What every store of the runs of the audit promises: one at a time, whoever begins them."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from kernel.domain.errors import Contention
from kernel.domain.faults import Checked, Fault
from orders.domain.audit_run import AuditRun, RunState
from tests.memory.clock import EPOCH
from tests.ports.worlds import World, ended, failing, undone

FAULT = Fault("order 1", "order_missing", 'captured, "no" order', "an order")
RUN = AuditRun(number=1, id=UUID(int=1), operator="ada", through="", began_at=EPOCH, lease_until=EPOCH)


async def add(world: World, run: AuditRun) -> None:
    async with world.uow() as uow:
        await world.audit_runs(uow).add(run)


async def save(world: World, run: AuditRun) -> bool:
    async with world.uow() as uow:
        return await world.audit_runs(uow).save(run)


async def latest(world: World) -> AuditRun | None:
    async with world.uow() as uow:
        return await world.audit_runs(uow).latest()


async def test_there_is_no_run_at_first(world: World) -> None:
    assert await latest(world) is None


async def test_the_latest_is_the_one_with_the_highest_number(world: World) -> None:
    for number in (1, 3, 2):
        await add(world, replace(RUN, number=number))
    assert await latest(world) == replace(RUN, number=3)


async def test_a_run_that_was_rolled_back_never_began(world: World) -> None:
    async with undone(world.uow()) as uow:
        await world.audit_runs(uow).add(RUN)
    assert await latest(world) is None


async def test_a_run_is_kept_with_all_that_it_found(world: World) -> None:
    await add(world, RUN)
    run = replace(RUN, checked=[], faults=[])
    run.enter("orders", 10)
    run.add(Checked("accounts", 7, 1, [FAULT]))
    run.renew(world.clock.now())
    assert await save(world, run)
    assert await latest(world) == run
    run.end(world.clock.now(), "payments is away")
    assert await save(world, run)
    assert await latest(world) == run


async def test_a_run_that_has_ended_stays_as_it_is(world: World) -> None:
    await add(world, RUN)
    dead = replace(RUN, state=RunState.DIED)
    assert await save(world, dead)
    assert not await save(world, replace(RUN, done=5))
    assert await latest(world) == dead
    assert not await save(world, replace(RUN, number=2))


async def test_of_two_who_begin_the_same_number_one_loses(world: World) -> None:
    async with world.uow() as uow:
        await world.audit_runs(uow).add(RUN)
        second = world.start(add(world, replace(RUN, id=UUID(int=2))))
        await world.blocked(second)
    with pytest.raises(Contention):
        await ended(second)
    async with failing(Contention, world.uow()) as uow:
        await world.audit_runs(uow).add(RUN)
    assert await latest(world) == RUN


async def test_a_run_that_ended_long_ago_is_pruned_but_never_the_latest_nor_one_that_runs(
    world: World,
) -> None:
    later = EPOCH + timedelta(seconds=1)
    ended_at = {1: EPOCH, 2: EPOCH, 3: later, 4: None, 5: EPOCH}
    for number, at in ended_at.items():
        await add(world, replace(RUN, number=number, ended_at=at))

    async def prune(before: datetime, count_max: int = 10) -> int:
        async with world.uow() as uow:
            return await world.audit_runs(uow).prune(before=before, count_max=count_max)

    assert [await prune(EPOCH), await prune(later, 1), await prune(later), await prune(later)] == [0, 1, 1, 0]
    assert await prune(later + timedelta(seconds=1)) == 1
    assert await latest(world) == replace(RUN, number=5, ended_at=EPOCH)
    assert await save(world, replace(RUN, number=4))
