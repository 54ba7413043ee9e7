"""What every store of parked messages promises."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from kernel.domain.events import MessageId, Unhandled
from tests.ports.worlds import World, ended, undone

UNHANDLED = Unhandled(
    message=MessageId("/shop/orders", "1"),
    type="noted",
    subject="order 1",
    reason="order_not_found",
    detail="there is no order 1",
    payload=b'{"id":"1"}',
)


async def park(world: World, unhandled: Unhandled) -> None:
    """In a transaction of its own."""
    async with world.uow() as uow:
        await world.parked(uow).add(unhandled)


async def test_a_parked_message_is_kept_with_its_reason_its_payload_and_its_time(world: World) -> None:
    await park(world, UNHANDLED)
    (row,) = await world.parked_rows()
    assert (row.type, row.subject, row.reason) == ("noted", "order 1", "order_not_found")
    assert (row.detail, row.payload, row.count) == ("there is no order 1", b'{"id":"1"}', 1)
    assert row.first_parked_at == row.last_parked_at == world.clock.now()


async def test_one_of_the_same_type_subject_and_reason_counts_up_and_the_last_one_is_kept(
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


@pytest.mark.parametrize("difference", [{"type": "other"}, {"subject": "order 2"}, {"reason": "other"}])
async def test_one_of_another_type_subject_or_reason_is_kept_beside(
    world: World, difference: dict[str, str]
) -> None:
    await park(world, UNHANDLED)
    await park(world, replace(UNHANDLED, **difference))  # type: ignore[arg-type]
    assert [row.count for row in await world.parked_rows()] == [1, 1]


async def test_what_was_rolled_back_is_not_kept_and_not_counted(world: World) -> None:
    await park(world, UNHANDLED)
    async with undone(world.uow()) as uow:
        await world.parked(uow).add(UNHANDLED)
    assert [row.count for row in await world.parked_rows()] == [1]


async def test_two_that_park_the_same_for_the_first_time_take_turns_and_both_count(world: World) -> None:
    async with world.uow() as uow:
        await world.parked(uow).add(UNHANDLED)
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
