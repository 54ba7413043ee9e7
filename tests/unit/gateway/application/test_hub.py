"""The hub: whoever watches an order sees each change once and in order, whatever becomes of notifications.

Time is virtual here: waiting for minutes takes none.
"""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack

import pytest

from gateway.application.hub import LISTEN_ON_S
from kernel.domain.caller import ANYONE
from kernel.domain.errors import NotFound, Unavailable
from tests.unit.clock import id_of
from tests.unit.gateway.application.hub_world import ONE, PLACED, HubWorld, change, rest, turns, virtually


@virtually
async def test_a_reader_sees_what_was_and_then_what_comes(world: HubWorld) -> None:
    world.becomes(1)
    reader = asyncio.create_task(world.read_to_the_end())
    await asyncio.sleep(1)
    world.becomes(2)
    assert await reader == [1, 2]
    assert world.now < 1.1


@virtually
async def test_a_change_that_is_notified_while_the_order_is_first_read_is_not_lost(world: HubWorld) -> None:
    world.becomes(1)
    reader = asyncio.create_task(world.read_to_the_end())
    await turns()
    world.becomes(2)
    assert await reader == [1, 2]
    assert len(world.reads) == 1


@virtually
async def test_a_repeated_notification_is_seen_once_and_makes_the_hub_read(world: HubWorld) -> None:
    world.becomes(1)
    async with world.hub.watch(ANYONE, ONE, place=1) as watch:
        world.becomes(3)  # refunded at once, so this is not the end
        await asyncio.sleep(0.1)
        reads_count = len(world.reads)
        world.hub.notify([change(2), change(2), change(3)])
        await asyncio.sleep(0.1)
        assert len(world.reads) == reads_count + 1
        world.becomes(4)
        assert await rest(watch) == [2, 3, 4]


@virtually
async def test_a_gap_is_filled_by_reading(world: HubWorld) -> None:
    world.becomes(1)
    async with world.hub.watch(ANYONE, ONE) as watch:
        world.becomes(2, notified=False)
        world.becomes(3)
        found = [await watch.next(within_s=1) for _ in range(3)]
        assert [item.sequence for item in found if item] == [1, 2, 3]
        assert world.now < 0.1


@virtually
async def test_changes_notified_in_the_wrong_order_are_seen_in_the_right_one(world: HubWorld) -> None:
    world.becomes(1)
    world.reading_s = 1
    async with world.hub.watch(ANYONE, ONE) as watch:
        world.lengths[ONE] = 4
        world.hub.notify([change(4), change(3)])
        world.hub.notify([change(2)])
        assert await rest(watch) == [1, 2, 3, 4]


@virtually
async def test_a_lost_notification_only_costs_time(world: HubWorld) -> None:
    world.becomes(1)
    reader = asyncio.create_task(world.read_to_the_end())
    await turns()
    world.becomes(2, notified=False)
    assert await reader == [1, 2]
    assert world.now < 4
    later = asyncio.create_task(world.read_to_the_end(order_id=id_of(2)))
    world.becomes(1, id_of(2))
    await asyncio.sleep(600)
    lost_at = world.now
    world.becomes(2, id_of(2), notified=False)
    assert await later == [1, 2]
    assert world.now - lost_at <= 46


@virtually
async def test_orders_are_read_again_ever_more_rarely_not_all_at_once_and_once_for_all_readers(
    world: HubWorld,
) -> None:
    async with AsyncExitStack() as stack:
        for number in range(100):
            world.becomes(1, id_of(number))
            for _ in range(3):
                await stack.enter_async_context(world.hub.watch(ANYONE, id_of(number)))
        await asyncio.sleep(600)
        count = Counter(order_id for _, order_id in world.reads)
        assert all(15 <= reads <= 30 for reads in count.values()), count
        at_once = Counter(int(at) for at, _ in world.reads if at > 60)
        assert max(at_once.values()) < 20


@virtually
async def test_a_crowd_of_new_readers_does_not_stampede_the_orders_service(world: HubWorld) -> None:
    ids = [id_of(number) for number in range(300)]
    for order_id in ids:
        world.becomes(2, order_id)
    seen = await asyncio.gather(*(world.read_to_the_end(order_id=order_id) for order_id in ids * 3))
    assert seen == [[1, 2]] * 900
    assert len(world.reads) == 300
    assert world.calls_count < 5


@virtually
async def test_a_slow_reader_misses_nothing_and_holds_up_nobody(world: HubWorld) -> None:
    world.becomes(1)
    async with world.hub.watch(ANYONE, ONE) as slow:
        quick = asyncio.create_task(world.read_to_the_end())
        for sequence in (2, 3, 4):
            await asyncio.sleep(0.1)
            world.becomes(sequence)
            await turns()
        assert quick.done()
        assert await rest(slow) == [1, 2, 3, 4]


@virtually
async def test_a_reader_that_takes_long_hears_every_so_often_that_there_is_nothing(world: HubWorld) -> None:
    world.becomes(1)
    async with world.hub.watch(ANYONE, ONE, place=1) as watch:
        assert await watch.next(within_s=15) is None
        assert 15 <= world.now < 16
        assert not watch.over


@pytest.mark.parametrize(
    ("place", "length", "seen"),
    [(0, 2, [1, 2]), (1, 2, [2]), (2, 2, []), (3, 2, [1, 2]), (99, 2, [1, 2]), (2, 4, [3, 4]), (4, 4, [])],
)
@virtually
async def test_a_reader_that_comes_back_to_the_hub_misses_and_repeats_nothing(
    world: HubWorld, place: int, length: int, seen: list[int]
) -> None:
    world.becomes(length)
    async with world.hub.watch(ANYONE, ONE, place=place) as watch:
        assert watch.finished is (seen == [])
        assert await rest(watch) == seen
        assert watch.finished


@virtually
async def test_a_finished_order_that_is_being_refunded_has_not_ended(world: HubWorld) -> None:
    world.becomes(3)
    reader = asyncio.create_task(world.read_to_the_end(place=2))
    await asyncio.sleep(100)
    assert not reader.done()
    world.becomes(4)
    assert await reader == [3, 4]


@virtually
async def test_an_order_that_is_not_there_or_cannot_be_read_is_told_and_leaves_nothing(
    world: HubWorld,
) -> None:
    with pytest.raises(NotFound):
        await world.read_to_the_end()
    world.away = True
    with pytest.raises(Unavailable):
        await world.read_to_the_end()
    reads_count = len(world.reads)
    await asyncio.sleep(100)
    assert len(world.reads) == reads_count


@virtually
async def test_a_watcher_does_not_notice_that_orders_is_away(world: HubWorld) -> None:
    world.becomes(1)
    reader = asyncio.create_task(world.read_to_the_end())
    await turns()
    world.away = True
    world.becomes(2, notified=False)
    await asyncio.sleep(200)
    assert not reader.done()
    world.away = False
    assert await reader == [1, 2]


@virtually
async def test_a_reader_that_leaves_during_the_first_reading_does_not_end_it_for_others(
    world: HubWorld,
) -> None:
    world.becomes(2)
    leaving = asyncio.create_task(world.read_to_the_end())
    staying = asyncio.create_task(world.read_to_the_end())
    await turns()
    leaving.cancel()
    assert await staying == [1, 2]
    assert len(world.reads) == 1


@virtually
async def test_a_stream_of_an_order_that_is_waited_for_misses_nothing(world: HubWorld) -> None:
    world.becomes(1)
    waiting = asyncio.create_task(world.hub.decided(PLACED, within_s=5))
    await turns()
    reader = asyncio.create_task(world.read_to_the_end())
    await asyncio.sleep(1)
    world.becomes(2)
    assert (await waiting, await reader) == (change(2), [1, 2])


@virtually
async def test_nothing_is_kept_of_orders_that_nobody_watches(world: HubWorld) -> None:
    world.becomes(1)
    world.becomes(2)
    await asyncio.sleep(100)
    assert world.reads == []
    assert await world.read_to_the_end() == [1, 2]
    await asyncio.sleep(100)
    assert len(world.reads) == 1


@virtually
async def test_notifications_are_wanted_while_somebody_watches_and_for_a_minute_more(world: HubWorld) -> None:
    world.becomes(1, notified=False)
    assert not world.notifications.wanted
    async with world.hub.watch(ANYONE, ONE):
        assert world.notifications.wanted
    await asyncio.sleep(LISTEN_ON_S - 1)
    assert world.notifications.wanted
    await asyncio.sleep(2)
    assert not world.notifications.wanted
    await world.hub.listen()
    await asyncio.sleep(LISTEN_ON_S - 1)
    assert world.notifications.wanted
    await asyncio.sleep(2)
    assert not world.notifications.wanted
