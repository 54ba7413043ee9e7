"""What every store of parked messages, and of discarded ones, promises."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from kernel.domain.events import MessageId, Parked, Unhandled
from tests.ports.worlds import World, ended, undone

UNHANDLED = Unhandled(
    message=MessageId("/shop/orders", "1"),
    type="noted",
    subject="order 1",
    reason="order_not_found",
    detail="there is no order 1",
    payload=b'{"id":"1","source":"/shop/orders","type":"noted","specversion":"1.0"}',
)
NO_EVENT = Unhandled(
    # SHA-256 of the payload, which has no better name.
    message=MessageId("sha256", "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"),
    type="",
    subject="6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b",
    reason="invalid_event",
    detail="a number",
    payload=b"1",
)


async def park(world: World, unhandled: Unhandled) -> None:
    """In a transaction of its own."""
    async with world.uow() as uow:
        await world.parked(uow).add([unhandled])


async def waiting(world: World, after: UUID | None = None, count_max: int = 10) -> Sequence[Parked]:
    page = await world.reading().page(after=after, count_max=count_max)
    async with world.uow() as uow:
        return await world.parked(uow).lock([one.id for one in page])


async def taken(world: World, *ids: UUID) -> Sequence[Parked]:
    """In a transaction of its own."""
    async with world.uow() as uow:
        return await world.parked(uow).take(ids)


async def test_a_parked_message_is_kept_with_its_reason_its_payload_and_its_time(world: World) -> None:
    await park(world, UNHANDLED)
    (row,) = await world.parked_rows()
    assert (row.type, row.subject, row.reason) == ("noted", "order 1", "order_not_found")
    assert (row.detail, row.payload, row.count) == ("there is no order 1", UNHANDLED.payload, 1)
    assert row.first_parked_at == row.last_parked_at == world.clock.now()


async def test_a_message_of_the_same_type_subject_and_reason_counts_up_and_the_last_one_is_kept(
    world: World,
) -> None:
    first_at = world.clock.now()
    await park(world, UNHANDLED)
    world.clock.advance(3600)
    again = replace(UNHANDLED, message=MessageId("/shop/orders", "2"), detail="still none", payload=b"2")
    await park(world, again)
    (row,) = await world.parked_rows()
    assert (row.count, row.detail, row.payload) == (2, "still none", b"2")
    assert (row.first_parked_at, row.last_parked_at) == (first_at, first_at + timedelta(hours=1))


async def test_of_many_that_are_parked_at_once_each_is_kept_and_those_alike_are_counted(world: World) -> None:
    other = replace(UNHANDLED, subject="order 2")
    last = replace(UNHANDLED, detail="the last one", payload=b"3")
    async with world.uow() as uow:
        await world.parked(uow).add([])
        await world.parked(uow).add([other, UNHANDLED, NO_EVENT, UNHANDLED, last])
        await world.parked(uow).add([other, last])
    rows = {(row.subject, row.count, row.detail) for row in await world.parked_rows()}
    assert rows == {
        (UNHANDLED.subject, 4, "the last one"),
        (other.subject, 2, other.detail),
        (NO_EVENT.subject, 1, NO_EVENT.detail),
    }


async def test_two_that_park_the_same_in_opposite_orders_are_no_deadlock(world: World) -> None:
    many = [replace(UNHANDLED, subject=f"order {number:03}") for number in range(50)]

    async def park_all(unhandled: Sequence[Unhandled]) -> None:
        async with world.uow() as uow:
            await world.parked(uow).add(unhandled)

    parking = [world.start(park_all(given)) for given in (many, many[::-1]) * 3]
    for task in parking:
        await ended(task)
    assert [row.count for row in await world.parked_rows()] == [6] * 50


@pytest.mark.parametrize("difference", [{"type": "other"}, {"subject": "order 2"}, {"reason": "other"}])
async def test_a_message_of_another_type_subject_or_reason_is_kept_beside(
    world: World, difference: dict[str, Any]
) -> None:
    await park(world, UNHANDLED)
    await park(world, replace(UNHANDLED, **difference))
    assert [row.count for row in await world.parked_rows()] == [1, 1]


async def test_a_message_that_was_rolled_back_is_not_kept_and_not_counted(world: World) -> None:
    await park(world, UNHANDLED)
    async with undone(world.uow()) as uow:
        await world.parked(uow).add([UNHANDLED])
    assert [row.count for row in await world.parked_rows()] == [1]


async def test_two_that_park_the_same_for_the_first_time_take_turns_and_both_count(world: World) -> None:
    async with world.uow() as uow:
        await world.parked(uow).add([UNHANDLED])
        second = world.start(park(world, UNHANDLED))
        await world.blocked(second)
    await ended(second)
    assert [row.count for row in await world.parked_rows()] == [2]


async def test_any_text_that_json_can_say_is_kept_and_the_payload_to_the_byte(world: World) -> None:
    long = random.Random(0).randbytes(50_000).hex()
    for text in "", "\x00", long, long + "x", "\N{GRINNING FACE}" * 200:
        payload = text.encode() + bytes(range(256))
        odd = replace(UNHANDLED, type=text, subject=text, detail=text, payload=payload)
        await park(world, odd)
        await park(world, odd)
    rows = await world.parked_rows()
    assert [row.count for row in rows] == [2] * 5
    assert long.encode() + bytes(range(256)) in {row.payload for row in rows}


async def test_parked_messages_are_told_page_by_page_in_the_order_of_parking(world: World) -> None:
    for unhandled in (UNHANDLED, NO_EVENT, replace(UNHANDLED, subject="order 2")):
        await park(world, unhandled)
    first, second, third = await waiting(world)
    assert (first.unhandled, second.unhandled) == (UNHANDLED, NO_EVENT)
    assert (third.unhandled.subject, third.count) == ("order 2", 1)
    assert await waiting(world, count_max=2) == [first, second]
    assert await waiting(world, after=second.id) == [third]
    assert await waiting(world, after=third.id) == []


async def test_a_message_that_counts_up_keeps_its_id_and_one_that_is_parked_anew_has_another(
    world: World,
) -> None:
    await park(world, UNHANDLED)
    (first,) = await waiting(world)
    await park(world, UNHANDLED)
    (again,) = await taken(world, first.id)
    assert (again.id, again.count) == (first.id, 2)
    await park(world, UNHANDLED)
    (anew,) = await waiting(world)
    assert anew.id != first.id
    assert anew.count == 1


async def test_a_taken_message_comes_as_it_was_parked_and_no_longer_waits(world: World) -> None:
    for unhandled in (UNHANDLED, NO_EVENT, replace(UNHANDLED, subject="order 2")):
        await park(world, unhandled)
    first, second, third = await waiting(world)
    assert await taken(world, third.id, first.id, UUID(int=7)) == [first, third]
    assert await waiting(world) == [second]
    assert await taken(world, third.id, first.id) == []
    assert await taken(world) == []


async def test_a_taken_message_waits_again_after_a_rollback(world: World) -> None:
    await park(world, UNHANDLED)
    (parked,) = await waiting(world)
    async with undone(world.uow()) as uow:
        assert await world.parked(uow).take([parked.id]) == [parked]
    assert await waiting(world) == [parked]


async def test_of_two_who_take_the_same_in_opposite_orders_one_waits_and_gets_the_rest(world: World) -> None:
    for number in range(3):
        await park(world, replace(UNHANDLED, subject=f"order {number}"))
    first, second, third = await waiting(world)
    async with world.uow() as uow:
        assert await world.parked(uow).take([second.id, first.id]) == [first, second]
        other = world.start(taken(world, third.id, second.id, first.id))
        await world.blocked(other)
    assert await ended(other) == [third]


async def test_a_message_that_is_parked_while_its_like_is_taken_is_parked_anew(world: World) -> None:
    await park(world, UNHANDLED)
    (parked,) = await waiting(world)
    async with world.uow() as uow:
        await world.parked(uow).take([parked.id])
        parking = world.start(park(world, UNHANDLED))
        await world.blocked(parking)
    await ended(parking)
    assert [(row.count, row.id == parked.id) for row in await world.parked_rows()] == [(1, False)]


async def test_the_record_of_what_is_discarded_says_what_when_by_whom_and_why(world: World) -> None:
    await park(world, UNHANDLED)
    await park(world, NO_EVENT)
    (parked, _) = await waiting(world)
    world.clock.advance(60)
    async with world.uow() as uow:
        both = await world.parked(uow).take([item.id for item in await waiting(world)])
        await world.discarded(uow).add(both, by="ada@desk", note="a test\x00")
    one, other = await world.discarded_rows()
    assert (one.type, one.subject, one.reason, one.detail) == (
        "noted",
        "order 1",
        "order_not_found",
        "there is no order 1",
    )
    assert (one.payload, one.count) == (UNHANDLED.payload, 1)
    assert (one.first_parked_at, one.last_parked_at) == (parked.first_parked_at, parked.last_parked_at)
    assert one.discarded_at == world.clock.now() == other.discarded_at
    assert (one.discarded_by, one.note.rstrip("\x00\ufffd")) == ("ada@desk", "a test")
    assert (other.reason, other.payload) == ("invalid_event", b"1")


async def test_equal_messages_that_are_discarded_leave_a_record_each(world: World) -> None:
    await park(world, UNHANDLED)
    (parked,) = await waiting(world)
    for _ in range(2):
        async with world.uow() as uow:
            await world.discarded(uow).add([parked, parked], by="ada", note="")
    assert len(await world.discarded_rows()) == 4
