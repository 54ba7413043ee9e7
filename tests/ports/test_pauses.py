"""What every store of pauses promises, and who reads how a service stands."""

from dataclasses import replace
from datetime import datetime, timedelta

from kernel.application.replay import LETTERS, REPLAYED
from kernel.application.set_aside import aside
from kernel.domain.parked import OwnName
from kernel.domain.pauses import Pause
from kernel.ports.pauses import Standing
from tests.ports.test_outbox import add, noted, taken
from tests.ports.worlds import World, ended, undone

OURS, OTHERS = OwnName("orders"), OwnName("payments")


def pause_of(world: World, by: str = "ada", note: str = "a flood") -> Pause:
    return Pause(by=by, note=note, since=world.clock.now())


async def begin(world: World, pause: Pause, consumer: OwnName = OURS) -> bool:
    async with world.uow() as uow:
        return await world.pauses(uow, consumer).begin(pause)


async def end(world: World, consumer: OwnName = OURS) -> bool:
    async with world.uow() as uow:
        return await world.pauses(uow, consumer).end()


async def test_a_consumer_is_paused_until_that_ends(world: World) -> None:
    reading = world.standing(OURS)
    assert await reading.standing() == Standing(None, None)
    pause = pause_of(world)
    assert await begin(world, pause)
    assert await reading.standing() == Standing(None, pause)
    assert await end(world)
    assert await reading.standing() == Standing(None, None)
    assert not await end(world)


async def test_a_pause_that_lasts_stays_as_it_is(world: World) -> None:
    first = pause_of(world)
    await begin(world, first)
    world.clock.advance(60)
    assert not await begin(world, pause_of(world, "bob", "too"))
    assert (await world.standing(OURS).standing()).pause == first


async def test_the_consumer_of_another_name_is_not_paused(world: World) -> None:
    await begin(world, pause_of(world))
    assert (await world.standing(OTHERS).standing()).pause is None
    assert not await end(world, OTHERS)
    assert (await world.standing(OURS).standing()).pause is not None


async def test_a_rollback_neither_begins_nor_ends_a_pause(world: World) -> None:
    pause = pause_of(world)
    async with undone(world.uow()) as uow:
        await world.pauses(uow, OURS).begin(pause)
    assert (await world.standing(OURS).standing()).pause is None
    await begin(world, pause)
    async with undone(world.uow()) as uow:
        await world.pauses(uow, OURS).end()
    assert (await world.standing(OURS).standing()).pause == pause


async def test_of_two_who_pause_at_once_one_did_it(world: World) -> None:
    async with world.uow() as uow:
        assert await world.pauses(uow, OURS).begin(pause_of(world))
        other = world.start(begin(world, pause_of(world, "bob")))
        await world.blocked(other)
    assert not await ended(other)


async def test_of_two_who_resume_at_once_one_did_it(world: World) -> None:
    await begin(world, pause_of(world))
    async with world.uow() as uow:
        assert await world.pauses(uow, OURS).end()
        other = world.start(end(world))
        await world.blocked(other)
    assert not await ended(other)


async def test_a_text_that_no_database_holds_does_not_fail_it(world: World) -> None:
    await begin(world, replace(pause_of(world), note="no\x00te"))
    found = (await world.standing(OURS).standing()).pause
    assert found is not None
    assert found.note.startswith("no")


async def test_the_oldest_event_that_is_to_be_published_is_told_with_it(world: World) -> None:
    async def since() -> datetime | None:
        return (await world.standing(OURS).standing()).waiting_since

    await add(world, noted(b"1", REPLAYED), noted(b"2", LETTERS), noted(b"0", aside(7)))
    assert await since() is None
    world.clock.advance(5)
    first = world.clock.now().replace(microsecond=0)
    await add(world, noted(b"3", "b"))
    world.clock.advance(5)
    await add(world, noted(b"4", "a"))
    assert await since() == first
    await taken(world, "b")
    assert await since() == first + timedelta(seconds=5)
