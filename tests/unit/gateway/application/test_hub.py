"""The hub: whoever watches an order sees each change once and in order, whatever becomes of notifications.

Time is virtual here: waiting for minutes takes none.
"""

import asyncio
import inspect
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from functools import wraps
from typing import Any
from uuid import UUID

import pytest

from gateway.application.hub import LISTEN_ON_S, READ_AFTER_S, Hub
from gateway.application.watch import Watch
from gateway.domain.orders import Change, Placed
from kernel.adapters.in_process.bus import InProcessBroker, InProcessNotifications
from kernel.domain.errors import NotFound, Unavailable
from tests.catalog import CATALOG
from tests.simulation.loop import SimClock, VirtualLoop
from tests.unit.clock import id_of

STATUSES = ("NEW", "FINISHED", "REFUNDING", "REFUNDED")
ONE = id_of(1)
PLACED = Placed(ONE, "NEW", b"1", replayed=False)


def change(sequence: int, order_id: UUID = ONE, statuses: Sequence[str] = STATUSES) -> Change:
    return Change(order_id, sequence, statuses[sequence - 1], b"%d" % sequence)


class World:
    """A hub, and the orders that it can read; `now` is in seconds since the beginning."""

    def __init__(self) -> None:
        self.notifications = InProcessNotifications(InProcessBroker(CATALOG))
        self.hub = self.make_hub()
        self.lengths: dict[UUID, int] = {}
        self.away = False
        self.reads: list[tuple[float, UUID]] = []
        self.reading_s = 0.01
        self.calls_count = 0
        self.jobs = asyncio.create_task(self.hub.run())

    def make_hub(self, **limits: int) -> Hub:
        clock = SimClock(random.Random(1), skew_s=0)
        return Hub(self, self.notifications, clock, **limits)  # type: ignore[arg-type]

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def becomes(self, sequence: int, order_id: UUID = ONE, *, notified: bool = True) -> None:
        """The order has had so many changes; the last one is notified of, or that is lost."""
        self.lengths[order_id] = sequence
        if notified:
            self.hub.notify([change(sequence, order_id)])

    async def changes(self, order_ids: Sequence[UUID]) -> Sequence[Sequence[Change]]:
        self.reads += [(self.now, order_id) for order_id in order_ids]
        self.calls_count += 1
        status_histories = [self._history(order_id) for order_id in order_ids]
        away = self.away
        await asyncio.sleep(self.reading_s)
        if away:
            raise Unavailable("orders is away")
        return status_histories

    def _history(self, order_id: UUID) -> Sequence[Change]:
        return [change(sequence, order_id) for sequence in range(1, self.lengths.get(order_id, 0) + 1)]

    async def read_to_the_end(self, place: int = 0, order_id: UUID = ONE) -> list[int]:
        async with self.hub.watch(order_id, place=place) as watch:
            return await rest(watch)


async def rest(watch: Watch) -> list[int]:
    """The numbers of all changes from here to the end, which comes within an hour."""
    seen = []
    async with asyncio.timeout(3600):
        while not watch.over:
            if found := await watch.next(within_s=15):
                seen.append(found.sequence)
    return seen


async def turns() -> None:
    """Everything that can happen now has happened."""
    for _ in range(20):
        await asyncio.sleep(0)


def virtually(story: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    @wraps(story)
    def run(**parameters: Any) -> None:
        async def play() -> None:
            await story(World(), **parameters)

        loop = VirtualLoop()
        try:
            loop.run_until_complete(play())
        finally:
            loop.end()

    parameters = list(inspect.signature(story).parameters.values())
    run.__signature__ = inspect.Signature(parameters[1:])  # type: ignore[attr-defined]
    return run


@virtually
async def test_a_reader_sees_what_was_and_then_what_comes(world: World) -> None:
    world.becomes(1)
    reader = asyncio.create_task(world.read_to_the_end())
    await asyncio.sleep(1)
    world.becomes(2)
    assert await reader == [1, 2]
    assert world.now < 1.1


@virtually
async def test_a_change_that_is_notified_while_the_order_is_first_read_is_not_lost(world: World) -> None:
    world.becomes(1)
    reader = asyncio.create_task(world.read_to_the_end())
    await turns()
    world.becomes(2)
    assert await reader == [1, 2]
    assert len(world.reads) == 1


@virtually
async def test_what_is_notified_again_is_seen_once_and_makes_the_hub_read(world: World) -> None:
    world.becomes(1)
    async with world.hub.watch(ONE, place=1) as watch:
        world.becomes(3)  # refunded at once, so this is not the end
        await asyncio.sleep(0.1)
        reads_count = len(world.reads)
        world.hub.notify([change(2), change(2), change(3)])
        await asyncio.sleep(0.1)
        assert len(world.reads) == reads_count + 1
        world.becomes(4)
        assert await rest(watch) == [2, 3, 4]


@virtually
async def test_a_gap_is_filled_by_reading(world: World) -> None:
    world.becomes(1)
    async with world.hub.watch(ONE) as watch:
        world.becomes(2, notified=False)
        world.becomes(3)
        found = [await watch.next(within_s=1) for _ in range(3)]
        assert [item.sequence for item in found if item] == [1, 2, 3]
        assert world.now < 0.1


@virtually
async def test_changes_notified_in_the_wrong_order_are_seen_in_the_right_one(world: World) -> None:
    world.becomes(1)
    world.reading_s = 1
    async with world.hub.watch(ONE) as watch:
        world.lengths[ONE] = 4
        world.hub.notify([change(4), change(3)])
        world.hub.notify([change(2)])
        assert await rest(watch) == [1, 2, 3, 4]


@virtually
async def test_a_lost_notification_only_costs_time(world: World) -> None:
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
    world: World,
) -> None:
    async with AsyncExitStack() as stack:
        for number in range(100):
            world.becomes(1, id_of(number))
            for _ in range(3):
                await stack.enter_async_context(world.hub.watch(id_of(number)))
        await asyncio.sleep(600)
        count = Counter(order_id for _, order_id in world.reads)
        assert all(15 <= reads <= 30 for reads in count.values()), count
        at_once = Counter(int(at) for at, _ in world.reads if at > 60)
        assert max(at_once.values()) < 20


@virtually
async def test_a_crowd_of_new_readers_does_not_stampede_the_orders_service(world: World) -> None:
    ids = [id_of(number) for number in range(300)]
    for order_id in ids:
        world.becomes(2, order_id)
    seen = await asyncio.gather(*(world.read_to_the_end(order_id=order_id) for order_id in ids * 3))
    assert seen == [[1, 2]] * 900
    assert len(world.reads) == 300
    assert world.calls_count < 5


@virtually
async def test_a_slow_reader_misses_nothing_and_holds_up_nobody(world: World) -> None:
    world.becomes(1)
    async with world.hub.watch(ONE) as slow:
        quick = asyncio.create_task(world.read_to_the_end())
        for sequence in (2, 3, 4):
            await asyncio.sleep(0.1)
            world.becomes(sequence)
            await turns()
        assert quick.done()
        assert await rest(slow) == [1, 2, 3, 4]


@virtually
async def test_a_reader_that_takes_long_hears_every_so_often_that_there_is_nothing(world: World) -> None:
    world.becomes(1)
    async with world.hub.watch(ONE, place=1) as watch:
        assert await watch.next(within_s=15) is None
        assert 15 <= world.now < 16
        assert not watch.over


@pytest.mark.parametrize(
    ("place", "length", "seen"),
    [(0, 2, [1, 2]), (1, 2, [2]), (2, 2, []), (3, 2, [1, 2]), (99, 2, [1, 2]), (2, 4, [3, 4]), (4, 4, [])],
)
@virtually
async def test_who_comes_back_misses_and_repeats_nothing(
    world: World, place: int, length: int, seen: list[int]
) -> None:
    world.becomes(length)
    async with world.hub.watch(ONE, place=place) as watch:
        assert watch.finished is (seen == [])
        assert await rest(watch) == seen
        assert watch.finished


@virtually
async def test_a_finished_order_that_is_being_refunded_has_not_ended(world: World) -> None:
    world.becomes(3)
    reader = asyncio.create_task(world.read_to_the_end(place=2))
    await asyncio.sleep(100)
    assert not reader.done()
    world.becomes(4)
    assert await reader == [3, 4]


@virtually
async def test_an_order_that_is_not_there_or_cannot_be_read_is_told_and_leaves_nothing(world: World) -> None:
    with pytest.raises(NotFound):
        await world.read_to_the_end()
    world.away = True
    with pytest.raises(Unavailable):
        await world.read_to_the_end()
    reads_count = len(world.reads)
    await asyncio.sleep(100)
    assert len(world.reads) == reads_count


@virtually
async def test_who_already_watches_does_not_notice_that_orders_is_away(world: World) -> None:
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
async def test_a_reader_that_leaves_during_the_first_reading_does_not_end_it_for_others(world: World) -> None:
    world.becomes(2)
    leaving = asyncio.create_task(world.read_to_the_end())
    staying = asyncio.create_task(world.read_to_the_end())
    await turns()
    leaving.cancel()
    assert await staying == [1, 2]
    assert len(world.reads) == 1


@virtually
async def test_there_is_a_limit_and_who_leaves_makes_room(world: World) -> None:
    world.hub = world.make_hub(streams_max=2)
    world.becomes(1)
    async with world.hub.watch(ONE):
        async with world.hub.watch(ONE):
            with pytest.raises(Unavailable) as refused:
                await world.read_to_the_end()
            assert refused.value.code == "overloaded"
        async with world.hub.watch(ONE):
            pass


@virtually
async def test_one_address_cannot_take_the_places_of_all_others(world: World) -> None:
    world.hub = world.make_hub(streams_max=4, streams_per_address_max=2)
    world.becomes(1)
    async with AsyncExitStack() as streams:
        for _ in range(2):
            await streams.enter_async_context(world.hub.watch(ONE, address="1.2.3.4"))
        with pytest.raises(Unavailable) as refused:
            await streams.enter_async_context(world.hub.watch(ONE, address="1.2.3.4"))
        assert refused.value.code == "too_many_streams"
        await streams.enter_async_context(world.hub.watch(ONE, address="5.6.7.8"))
    for _ in range(3):
        async with world.hub.watch(ONE, address="1.2.3.4"):
            pass


@virtually
async def test_streams_leave_the_places_of_those_who_prefer_to_wait(world: World) -> None:
    world.hub = world.make_hub(streams_max=1, waits_max=1)
    world.becomes(1)
    async with world.hub.watch(ONE):
        waiting = asyncio.create_task(world.hub.decided(PLACED, within_s=5))
        await turns()
        with pytest.raises(Unavailable) as refused:
            await world.hub.decided(PLACED, within_s=5)
        assert refused.value.code == "overloaded"
        world.becomes(2)
        assert await waiting == change(2)


@virtually
async def test_stopping_ends_every_watch_unfinished_and_begins_no_other(world: World) -> None:
    world.becomes(1)
    async with world.hub.watch(ONE) as watch:
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
async def test_a_decision_that_is_notified_in_time_is_waited_for_without_a_reading(world: World) -> None:
    waiting = asyncio.create_task(world.hub.decided(PLACED, within_s=5))
    await asyncio.sleep(READ_AFTER_S / 2)
    world.becomes(2)
    assert await waiting == change(2)
    assert world.now == READ_AFTER_S / 2
    await asyncio.sleep(100)
    assert world.reads == []


@virtually
async def test_a_decision_that_was_notified_before_it_was_waited_for_is_read_soon(world: World) -> None:
    world.becomes(2)
    assert await world.hub.decided(PLACED, within_s=5) == change(2)
    assert world.reads == [(READ_AFTER_S, ONE)]


@pytest.mark.parametrize("away", [False, True])
@virtually
async def test_a_decision_that_nobody_notifies_of_is_read_later(world: World, away: bool) -> None:
    world.becomes(1)
    world.away = away
    waiting = asyncio.create_task(world.hub.decided(PLACED, within_s=10))
    await asyncio.sleep(1)
    world.away = False
    world.becomes(2, notified=False)
    assert await waiting == change(2)
    assert world.now < 4


@virtually
async def test_a_decision_is_waited_for_no_longer_than_was_asked(world: World) -> None:
    world.becomes(1)
    assert await world.hub.decided(PLACED, within_s=5) is None
    assert world.now == 5
    assert await world.hub.decided(PLACED, within_s=0) is None
    assert world.now == 5


@virtually
async def test_stopping_ends_the_wait_for_a_decision(world: World) -> None:
    world.becomes(2, notified=False)
    waiting = asyncio.create_task(world.hub.decided(PLACED, within_s=5))
    await turns()
    await world.hub.stop()
    assert await waiting is None
    await turns()
    assert (world.now, world.reads) == (0, [])


@virtually
async def test_a_stream_of_an_order_that_is_waited_for_misses_nothing(world: World) -> None:
    world.becomes(1)
    waiting = asyncio.create_task(world.hub.decided(PLACED, within_s=5))
    await turns()
    reader = asyncio.create_task(world.read_to_the_end())
    await asyncio.sleep(1)
    world.becomes(2)
    assert (await waiting, await reader) == (change(2), [1, 2])


@virtually
async def test_nothing_is_kept_of_orders_that_nobody_watches(world: World) -> None:
    world.becomes(1)
    world.becomes(2)
    await asyncio.sleep(100)
    assert world.reads == []
    assert await world.read_to_the_end() == [1, 2]
    await asyncio.sleep(100)
    assert len(world.reads) == 1


@virtually
async def test_notifications_are_wanted_while_somebody_watches_and_for_a_minute_more(world: World) -> None:
    world.becomes(1, notified=False)
    assert not world.notifications.wanted
    async with world.hub.watch(ONE):
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
