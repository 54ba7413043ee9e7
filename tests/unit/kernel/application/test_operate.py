"""Parked messages go back to their consumer exactly once, or leave a record; whoever else is at it."""

import asyncio
import json

import pytest

from kernel.domain.errors import OutcomeUnknown, Unavailable
from tests.memory.operator_record import OPERATOR_RECORD
from tests.memory.parked import DISCARDED
from tests.unit.kernel.application.operated import event, poisoned


async def test_a_replayed_message_does_its_work_once_its_cause_is_healed() -> None:
    world = await poisoned(1, 2)
    world.orders = {1, 2}
    assert await world.replay(*world.parked) == 2
    assert world.parked == []
    assert await world.work() == 2
    assert (world.declined, world.replayed) == ([1, 2], 0)
    assert await world.work() == 0


async def test_two_operators_who_replay_the_same_at_once_replay_it_once() -> None:
    world = await poisoned(1, 2)
    world.orders = {1, 2}
    counts = await asyncio.gather(*(world.replay(*world.parked) for _ in range(3)))
    assert sum(counts) == 2
    await world.work()
    assert world.declined == [1, 2]


async def test_two_replicas_that_work_at_once_and_a_redelivery_do_it_once() -> None:
    world = await poisoned(1)
    world.orders = {1}
    await world.replay(*world.parked)
    await asyncio.gather(world.work(), world.work(), world.consume(event(1)))
    assert (world.declined, world.parked, world.replayed) == ([1], [], 0)


@pytest.mark.parametrize("error", [Unavailable("away"), OutcomeUnknown("lost"), RuntimeError("died")])
async def test_a_replay_that_fails_after_its_work_is_repeated_and_works_once(error: Exception) -> None:
    async def die_after(body: bytes) -> None:
        await world.consume(body)
        raise error

    world = await poisoned(1)
    world.orders = {1}
    await world.replay(*world.parked)
    with pytest.raises(type(error)):
        await world.work(die_after)
    assert (world.declined, world.replayed) == ([1], 1)
    assert await world.work() == 1
    assert (world.declined, world.parked, world.replayed) == ([1], [], 0)


async def test_a_message_that_fails_again_is_parked_under_another_id_beside_those_that_work() -> None:
    world = await poisoned(1, 2)
    first = world.parked[0]
    world.orders = {2}
    await world.replay(*world.parked)
    await world.work()
    (again,) = world.parked
    assert (again.unhandled, again.count) == (first.unhandled, 1)
    assert world.declined == [2]
    assert await world.replay(first) == 0
    world.orders = {1, 2}
    assert await world.replay(again) == 1
    await world.work()
    assert (world.declined, world.parked) == ([2, 1], [])


async def test_a_message_that_is_no_event_is_parked_again_and_stops_nobody() -> None:
    world = await poisoned(1)
    world.orders = {1}
    await world.consume(b'[7, {"id": ""}]')
    await world.replay(*world.parked)
    assert await world.work() == 3
    assert world.declined == [1]
    assert [json.loads(parked.unhandled.payload) for parked in world.parked] == [7, {"id": ""}]


async def test_a_replay_that_is_rolled_back_leaves_everything_as_it_was() -> None:
    def fail(*_: object) -> tuple[str, bytes]:
        raise Unavailable("away")

    world = await poisoned(1)
    (parked,) = world.parked
    world.encode = fail
    with pytest.raises(Unavailable):
        await world.replay(parked)
    world.orders = {1}
    await world.consume(event(1))
    assert (world.parked, world.declined, world.replayed) == ([parked], [], 0)


async def test_a_discarded_message_leaves_a_record_and_stays_away() -> None:
    world = await poisoned(1, 2)
    kept, thrown = world.parked
    world.orders = {1, 2}
    assert await world.discard(thrown) == 1
    assert await world.discard(thrown) == 0
    assert await world.replay(thrown) == 0
    await world.consume(event(2))
    assert (world.parked, world.declined) == ([kept], [])
    (record,) = world.database.rows(DISCARDED)
    assert (record.parked, record.by, record.note, record.at) == (thrown, "ada", "a test", world.clock.now())
    (act,) = world.database.rows(OPERATOR_RECORD)
    assert (act.did, act.operator, act.through, act.note) == ("discard_messages", "ada", "gateway", "a test")
    assert str(thrown.id) in act.about


async def test_of_a_replay_and_a_discarding_at_once_one_wins() -> None:
    world = await poisoned(1)
    world.orders = {1}
    counts = await asyncio.gather(world.replay(*world.parked), world.discard(*world.parked))
    await world.work()
    assert sorted(counts) == [0, 1]
    assert len(world.declined) + len(world.database.rows(DISCARDED)) == 1
