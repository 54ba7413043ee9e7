"""The places of a hub: who gets one, who makes room, and how all are left."""

import asyncio

import pytest

from gateway.application.hub import READ_AFTER_S
from kernel.domain.caller import ANYONE
from kernel.domain.errors import Unavailable
from tests.unit.gateway.application.hub_world import ONE, PLACED, HubWorld, change, rest, turns, virtually


@virtually
async def test_streams_leave_the_places_of_those_who_prefer_to_wait(world: HubWorld) -> None:
    world.hub = world.make_hub(streams_max=1, waits_max=1)
    world.becomes(1)
    async with world.hub.watch(ANYONE, ONE):
        waiting = asyncio.create_task(world.hub.decided(PLACED, within_s=5))
        await turns()
        with pytest.raises(Unavailable) as refused:
            await world.hub.decided(PLACED, within_s=5)
        assert refused.value.code == "overloaded"
        world.becomes(2)
        assert await waiting == change(2)


@virtually
async def test_stopping_ends_every_watch_unfinished_and_begins_no_other(world: HubWorld) -> None:
    world.becomes(1)
    async with world.hub.watch(ANYONE, ONE) as watch:
        assert await watch.next(within_s=1)
        waiting = asyncio.create_task(rest(watch))
        await turns()
        await world.hub.stop()
        assert await waiting == []
        assert watch.over
        assert not watch.finished
    with pytest.raises(Unavailable):
        await world.read_to_the_end()


@virtually
async def test_a_decision_that_is_notified_in_time_is_waited_for_without_a_reading(world: HubWorld) -> None:
    waiting = asyncio.create_task(world.hub.decided(PLACED, within_s=5))
    await asyncio.sleep(READ_AFTER_S / 2)
    world.becomes(2)
    assert await waiting == change(2)
    assert world.now == READ_AFTER_S / 2
    await asyncio.sleep(100)
    assert world.reads == []


@virtually
async def test_a_decision_that_was_notified_before_it_was_waited_for_is_read_soon(world: HubWorld) -> None:
    world.becomes(2)
    assert await world.hub.decided(PLACED, within_s=5) == change(2)
    assert world.reads == [(READ_AFTER_S, ONE)]


@pytest.mark.parametrize("away", [False, True])
@virtually
async def test_a_decision_that_nobody_notifies_of_is_read_later(world: HubWorld, away: bool) -> None:
    world.becomes(1)
    world.away = away
    waiting = asyncio.create_task(world.hub.decided(PLACED, within_s=10))
    await asyncio.sleep(1)
    world.away = False
    world.becomes(2, notified=False)
    assert await waiting == change(2)
    assert world.now < 4


@virtually
async def test_a_decision_is_waited_for_no_longer_than_was_asked(world: HubWorld) -> None:
    world.becomes(1)
    assert await world.hub.decided(PLACED, within_s=5) is None
    assert world.now == 5
    assert await world.hub.decided(PLACED, within_s=0) is None
    assert world.now == 5


@virtually
async def test_stopping_ends_the_wait_for_a_decision(world: HubWorld) -> None:
    world.becomes(2, notified=False)
    waiting = asyncio.create_task(world.hub.decided(PLACED, within_s=5))
    await turns()
    await world.hub.stop()
    assert await waiting is None
    await turns()
    assert (world.now, world.reads) == (0, [])
