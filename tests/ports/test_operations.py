"""What every store of operations, of held causes, and of what operators read promises."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from kernel.domain.events import Unhandled
from kernel.domain.parked import Cause, Hold, Kind, Operation
from tests.ports.test_parked import NO_EVENT, UNHANDLED, park, taken
from tests.ports.worlds import World, ended, undone

CAUSE = Cause(dead_letter=False, type="noted", reason="order_not_found")
LETTER = replace(
    UNHANDLED, type="noted", subject="digest", reason="order_not_found", payload=b"\xff", dead_letter=True
)


def operation(world: World, kind: Kind = Kind.REPLAY) -> Operation:
    return Operation(
        id=world.clock.new_id(),
        kind=kind,
        target=UUID(int=7),
        about="a group\x00",
        operator="ada",
        through="console",
        note="a note",
        total=0,
        passed=0,
        done=0,
        began_at=world.clock.now(),
        ended_at=None,
    )


async def park_some(world: World, count: int) -> list[UUID]:
    for number in range(count):
        await park(world, replace(UNHANDLED, subject=f"order {number}"))
    return [one.id for one in await world.reading().page(count_max=count)]


async def begun(world: World, messages: UUID | Cause, kind: Kind = Kind.REPLAY) -> Operation:
    new = operation(world, kind)
    async with world.uow() as uow:
        total = await world.operations(uow).add(new, messages)
    return replace(new, total=total)


async def batch(world: World, one: Operation, count_max: int = 10) -> Mapping[UUID, int]:
    async with world.uow() as uow:
        return await world.operations(uow).batch(one, count_max=count_max)


async def test_an_operation_has_the_messages_of_its_cause_that_wait_and_none_that_comes_later(
    world: World,
) -> None:
    ids = await park_some(world, 3)
    for other in (NO_EVENT, LETTER):
        await park(world, replace(other, subject="elsewhere"))
    one = await begun(world, CAUSE)
    await park(world, replace(UNHANDLED, subject="later"))
    assert one.total == 3
    assert await batch(world, one) == dict.fromkeys(ids, 1)


async def test_an_operation_about_one_message_has_that_one(world: World) -> None:
    _, wanted, _ = await park_some(world, 3)
    one = await begun(world, wanted)
    assert (one.total, await batch(world, one)) == (1, {wanted: 1})


async def test_an_operation_that_is_begun_again_is_the_same(world: World) -> None:
    ids = await park_some(world, 2)
    one = operation(world)
    for _ in range(2):
        async with world.uow() as uow:
            assert await world.operations(uow).add(one, CAUSE) == 2
        await park(world, replace(UNHANDLED, subject="later"))
    assert await batch(world, one) == dict.fromkeys(ids, 1)


async def test_an_operation_about_nothing_that_waits_has_no_message(world: World) -> None:
    assert (await begun(world, UUID(int=7))).total == 0
    assert (await begun(world, CAUSE)).total == 0


async def test_a_taken_message_tells_how_often_it_had_come(world: World) -> None:
    await park(world, UNHANDLED)
    await park(world, UNHANDLED)
    one = await begun(world, CAUSE)
    await park(world, UNHANDLED)
    assert list((await batch(world, one)).values()) == [2]


async def test_batches_follow_each_other_and_one_that_is_rolled_back_comes_again(world: World) -> None:
    ids = await park_some(world, 5)
    one = await begun(world, CAUSE)
    assert list(await batch(world, one, 2)) == ids[:2]
    async with undone(world.uow()) as uow:
        assert set(await world.operations(uow).batch(one, count_max=2)) == set(ids[2:4])
    assert set(await batch(world, one, 10)) == set(ids[2:])
    assert await batch(world, one) == {}


async def test_the_oldest_that_has_not_ended_is_next_and_who_has_it_has_it_alone(world: World) -> None:
    await park_some(world, 1)
    first = await begun(world, CAUSE)
    second = await begun(world, CAUSE, Kind.DISCARD)
    async with world.uow() as uow, world.uow() as other, world.uow() as third:
        one = await world.operations(uow).next()
        assert one is not None
        assert (one.id, one.total, one.kind, one.state) == (first.id, 1, Kind.REPLAY, "running")
        two = await world.operations(other).next()
        assert two is not None
        assert two.id == second.id
        assert await world.operations(third).next() is None
        await world.operations(uow).save(replace(one, passed=1, done=1, ended_at=world.clock.now()))
    async with world.uow() as uow:
        left = await world.operations(uow).next()
    assert left is not None
    assert left.id == second.id


async def test_progress_is_read_once_it_is_committed(world: World) -> None:
    await park_some(world, 2)
    one = await begun(world, CAUSE)
    async with undone(world.uow()) as uow:
        await world.operations(uow).save(replace(one, passed=2, done=2, ended_at=world.clock.now()))
    found = await world.reading().operation(one.id)
    assert found is not None
    assert (found.passed, found.ended_at, found.outcome) == (0, None, "")
    over = replace(one, passed=2, done=1, ended_at=world.clock.now())
    async with world.uow() as uow:
        await world.operations(uow).save(over)
    found = await world.reading().operation(one.id)
    assert found is not None
    assert replace(found, about=over.about) == over
    assert found.about.rstrip("\x00\N{REPLACEMENT CHARACTER}") == "a group"
    assert "1 of 2 went back" in found.outcome
    assert "1 had gone" in found.outcome
    assert await world.reading().operation(UUID(int=7)) is None


async def test_a_locked_message_stays_and_parking_it_again_waits(world: World) -> None:
    (one,) = await park_some(world, 1)
    async with world.uow() as uow:
        (locked,) = await world.parked(uow).lock([one, UUID(int=7)])
        assert (locked.id, locked.count) == (one, 1)
        again = world.start(park(world, replace(UNHANDLED, subject="order 0")))
        await world.blocked(again)
    await ended(again)
    (row,) = await world.parked_rows()
    assert (row.id, row.count) == (one, 2)


async def test_a_dead_letter_is_kept_as_such_and_so_is_the_record_of_a_discarded_one(world: World) -> None:
    await park(world, LETTER)
    (row,) = await world.parked_rows()
    assert (row.dead_letter, row.payload) == (True, b"\xff")
    async with world.uow() as uow:
        (letter,) = await world.parked(uow).take([row.id])
        await world.discarded(uow).add([letter], by="ada", note="a test")
    assert letter.unhandled.dead_letter
    assert [discarded.dead_letter for discarded in await world.discarded_rows()] == [True]


async def test_operators_read_messages_page_by_page_and_of_one_cause(world: World) -> None:
    ids = await park_some(world, 3)
    await park(world, LETTER)
    reading = world.reading()
    first, second, third, letter = await reading.page(count_max=10)
    assert [one.id for one in (first, second, third)] == ids
    assert (first.cause, letter.cause) == (CAUSE, replace(CAUSE, dead_letter=True))
    assert (first.subject, first.detail, first.count) == ("order 0", UNHANDLED.detail, 1)
    assert (first.size, first.beginning) == (len(UNHANDLED.payload), UNHANDLED.payload)
    assert first.first_parked_at == first.last_parked_at == world.clock.now()
    assert await reading.page(after=first.id, count_max=1) == [second]
    assert await reading.page(cause=CAUSE, after=second.id, count_max=10) == [third]
    assert await reading.page(cause=letter.cause, count_max=10) == [letter]
    assert await reading.find(letter.id) == letter
    assert await reading.find(UUID(int=7)) is None


async def test_of_a_long_payload_its_size_and_its_beginning_are_read(world: World) -> None:
    payload = bytes(range(256)) * 1024
    await park(world, replace(UNHANDLED, payload=payload))
    (found,) = await world.reading().page(count_max=1)
    assert found.size == len(payload)
    assert 1024 <= len(found.beginning) < len(payload)
    assert payload.startswith(found.beginning)


async def test_causes_have_their_figures_and_a_sample(world: World) -> None:
    began = world.clock.now()
    await park(world, replace(UNHANDLED, subject="order 1"))
    world.clock.advance(60)
    for unhandled in (replace(UNHANDLED, subject="order 2"), replace(UNHANDLED, subject="order 1"), LETTER):
        await park(world, unhandled)
    causes = await world.reading().causes()
    assert set(causes) == {CAUSE, replace(CAUSE, dead_letter=True)}
    figures = causes[CAUSE]
    assert (figures.messages, figures.count, figures.sample.subject) == (2, 3, "order 1")
    assert (figures.oldest_at, figures.newest_at) == (began, began + timedelta(seconds=60))


async def hold(world: World, cause: Cause, owner: str) -> Hold:
    new = Hold(owner=owner, note="a note", ticket="OPS-7", held_by="ada", held_at=world.clock.now())
    async with world.uow() as uow:
        await world.held(uow).hold({cause: new})
    return new


async def release(world: World, cause: Cause) -> bool:
    async with world.uow() as uow:
        return await world.held(uow).release(cause)


async def test_a_cause_is_held_by_the_last_who_said_so_until_it_is_released(world: World) -> None:
    await hold(world, CAUSE, "ada")
    letters = replace(CAUSE, dead_letter=True)
    of_letters = await hold(world, letters, "bob")
    world.clock.advance(60)
    new = await hold(world, CAUSE, "eve")
    assert await world.reading().held() == {CAUSE: new, letters: of_letters}
    assert await release(world, CAUSE)
    assert not await release(world, CAUSE)
    assert await world.reading().held() == {letters: of_letters}


async def test_a_hold_that_is_rolled_back_is_none(world: World) -> None:
    async with undone(world.uow()) as uow:
        held_by = Hold(owner="ada", note="", ticket="", held_by="ada", held_at=world.clock.now())
        await world.held(uow).hold({CAUSE: held_by})
    assert await world.reading().held() == {}


@pytest.mark.parametrize("many", [[UNHANDLED, NO_EVENT], [NO_EVENT, UNHANDLED]])
async def test_taking_and_parking_the_same_messages_is_no_deadlock(
    world: World, many: list[Unhandled]
) -> None:
    """Ids are in another order than keys."""
    for unhandled in many:
        await park(world, unhandled)
    ids = [one.id for one in await world.reading().page(count_max=2)]

    async def park_all() -> None:
        async with world.uow() as uow:
            await world.parked(uow).add(many)

    async with asyncio.timeout(20):
        for _ in range(20):
            await asyncio.gather(park_all(), taken(world, *ids), park_all())
