"""What every record of operators promises."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from kernel.domain.acts import Act
from tests.memory.clock import EPOCH
from tests.ports.worlds import World, ended, undone

ACT = Act(
    user_id="alice", subject=UUID(int=1), did="deposit", operator="ada@desk", through="gateway", at=EPOCH
)


async def record(world: World, *acts: Act) -> None:
    """In a transaction of its own."""
    async with world.uow() as uow:
        await world.record(uow).add(acts)


async def test_an_act_is_kept_as_it_was_done(world: World) -> None:
    await record(world)
    await record(world, ACT)
    assert await world.record_rows() == [ACT]


async def test_of_many_that_come_in_any_order_each_is_kept(world: World) -> None:
    acts = [
        replace(ACT, user_id=user, subject=UUID(int=subject), did=did)
        for user in ("alice", "bob")
        for subject in (1, 2)
        for did in ("cancel_order", "place_order")
    ]
    await record(world, *acts[::-1])
    assert await world.record_rows() == acts


@pytest.mark.parametrize("together", [True, False])
async def test_an_act_that_is_recorded_again_stays_as_it_was_first(world: World, together: bool) -> None:
    later = replace(ACT, operator="grace", at=world.clock.now())
    await (record(world, ACT, later) if together else record(world, ACT))
    await record(world, later)
    assert await world.record_rows() == [ACT]


async def test_an_act_is_found_as_it_was_recorded_first(world: World) -> None:
    await record(world, ACT)
    other = replace(ACT, subject=UUID(int=2))
    async with world.uow() as uow:
        acts = world.record(uow)
        await acts.add([replace(ACT, note="later"), other])
        assert await acts.of("alice", UUID(int=1), "deposit") == ACT
        assert await acts.of("alice", UUID(int=2), "deposit") == other
        for user_id, subject, did in (("bob", 1, "deposit"), ("alice", 3, "deposit"), ("alice", 1, "other")):
            assert await acts.of(user_id, UUID(int=subject), did) is None


async def test_a_rollback_keeps_nothing(world: World) -> None:
    async with undone(world.uow()) as uow:
        await world.record(uow).add([ACT])
    assert await world.record_rows() == []


async def test_of_two_who_record_the_same_at_once_the_second_waits_and_changes_nothing(world: World) -> None:
    async with world.uow() as uow:
        await world.record(uow).add([ACT])
        # A statement that reads the table: writes alone would travel at the end.
        await world.record(uow).add([replace(ACT, subject=UUID(int=2))])
        second = world.start(record(world, replace(ACT, operator="grace")))
        await world.blocked(second)
    await ended(second)
    assert [act.operator for act in await world.record_rows()] == ["ada@desk"] * 2


async def test_the_record_is_read_from_the_newest_page_by_page(world: World) -> None:
    acts = [
        replace(ACT, subject=UUID(int=subject), did=did, at=EPOCH + timedelta(hours=hours), note="by phone")
        for hours in (1, 2)
        for subject in (1, 2)
        for did in ("cancel_order", "place_order")
    ]
    acts = [replace(act, subject=UUID(int=act.subject.int + 10 * act.at.hour)) for act in acts]
    await record(world, *acts)
    expected, read, after = sorted(acts, key=lambda act: act.place, reverse=True), [], None
    while page := await world.recorded_acts().page(after=after, count_max=3):
        read += page
        after = page[-1].place
    assert read == expected
