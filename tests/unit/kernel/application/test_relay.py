"""The relay: events leave the outbox in full envelopes, and only when the bus has them."""

import asyncio
import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kernel.application.envelopes import ENVELOPE_BYTES_MAX, ENVELOPE_EVENTS_MAX
from kernel.application.relay import (
    BUFFER_ROWS_MAX,
    LEFT_BEHIND_AFTER,
    REMOVED_AFTER_S,
    REMOVED_ROWS_MAX,
    ROWS_MAX,
    PublishCommitted,
    RelayBuffer,
    RelayEvents,
    RelayResult,
)
from kernel.domain.errors import Unavailable
from kernel.ports.bus import Envelope
from tests.memory.database import MemoryDatabase
from tests.memory.outbox import OUTBOX, MemoryBacklog, MemoryOutbox
from tests.memory.unit_of_work import MemoryUnitOfWork
from tests.unit.clock import RecordingClock

TYPE = "shop.tests.happened.v1"
NONE = RelayResult(0, full=False)


class Bus:
    """Keeps what it is given; `fail` may raise."""

    def __init__(self, fail: Callable[[], None] = lambda: None) -> None:
        self.envelopes: list[Envelope] = []
        self._fail = fail

    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        self._fail()
        self.envelopes += envelopes


class RelayWorld:
    def __init__(self, bus: Bus | None = None) -> None:
        self.database = MemoryDatabase()
        self.clock = RecordingClock()
        self.bus = bus or Bus()
        self.buffer = RelayBuffer()

    async def add(self, *events: bytes, event_type: str = TYPE) -> None:
        """In one transaction, so in as few rows as they fit into; long before anything else happens."""
        async with (uow := MemoryUnitOfWork(self.database)):
            outbox = MemoryOutbox[bytes](uow, self.clock, lambda e, *_: (event_type, e), self.buffer.add)
            await outbox.add(events)
        self.clock.advance(2)

    def waiting(self) -> list[bytes]:
        return [row.events for row in self.database.rows(OUTBOX)]

    async def relay(self) -> RelayResult:
        """Relays the rows that were left behind."""
        uow = MemoryUnitOfWork(self.database)
        return await RelayEvents(uow, MemoryBacklog(uow), self.bus, self.clock)(TYPE)

    async def publish_committed(self) -> RelayResult:
        uow = MemoryUnitOfWork(self.database)
        return await PublishCommitted(uow, MemoryBacklog(uow), self.bus, self.clock)(TYPE, self.buffer)


def event(size: int) -> bytes:
    """JSON of that many bytes."""
    return b'"' + b"x" * (size - 2) + b'"'


async def test_the_events_that_wait_travel_together_in_order_and_are_gone() -> None:
    world = RelayWorld()
    await world.add(b"1")
    await world.add(b"2", b"3")
    assert await world.relay() == RelayResult(3, full=False)
    assert world.bus.envelopes == [Envelope(TYPE, b"[1,2,3]")]
    assert world.waiting() == []


async def test_an_empty_outbox_sends_nothing() -> None:
    world = RelayWorld()
    assert await world.relay() == NONE
    assert world.bus.envelopes == []


async def test_events_of_another_type_stay() -> None:
    world = RelayWorld()
    await world.add(b"1", event_type="shop.tests.other.v1")
    assert await world.relay() == NONE
    assert world.waiting() == [b"1"]


def numbered(start: int, stop: int) -> list[bytes]:
    return [b"%d" % number for number in range(start, stop)]


@pytest.mark.parametrize("at_once", [250, 25, 20])
async def test_an_envelope_holds_200_events_and_what_was_kept_together_stays_together(at_once: int) -> None:
    world = RelayWorld()
    for start in range(0, 500, at_once):
        await world.add(*numbered(start, start + at_once))
    while (await world.relay()).events:
        pass
    found = [json.loads(envelope.body) for envelope in world.bus.envelopes]
    assert [number for numbers in found for number in numbers] == list(range(500))
    sizes = {250: [200, 50, 200, 50], 25: [200, 50, 200, 50], 20: [200, 200, 100]}
    assert list(map(len, found)) == sizes[at_once]
    assert ENVELOPE_EVENTS_MAX == 200


async def test_a_round_takes_what_10_transactions_said_and_the_rest_waits_for_the_next() -> None:
    world = RelayWorld()
    for number in range(25):
        await world.add(*numbered(number * 190, (number + 1) * 190))
    assert await world.relay() == await world.relay() == RelayResult(10 * 190, full=True)
    assert len(world.bus.envelopes) == 20
    assert await world.relay() == RelayResult(5 * 190, full=False)
    assert await world.relay() == NONE


@pytest.mark.parametrize("at_once", [True, False])
@given(
    sizes=st.lists(
        st.integers(2, ENVELOPE_BYTES_MAX - 2) | st.integers(100_000, 140_000), min_size=1, max_size=8
    )
)
@example(sizes=[ENVELOPE_BYTES_MAX // 2 - 2, ENVELOPE_BYTES_MAX // 2 - 1])
@example(sizes=[ENVELOPE_BYTES_MAX // 2 - 1, ENVELOPE_BYTES_MAX // 2 - 1])
async def test_no_envelope_is_above_its_bytes_and_none_is_split_without_need(
    sizes: list[int], at_once: bool
) -> None:
    world = RelayWorld()
    for some in [sizes] if at_once else [[size] for size in sizes]:
        await world.add(*map(event, some))
    await world.relay()
    bodies = [envelope.body for envelope in world.bus.envelopes]
    assert [len(text) + 2 for body in bodies for text in json.loads(body)] == sizes
    assert all(len(body) <= ENVELOPE_BYTES_MAX for body in bodies)
    for body, following in pairwise(bodies):
        first_of_next = len(json.loads(following)[0]) + 2
        assert len(body) + 1 + first_of_next > ENVELOPE_BYTES_MAX
    assert ENVELOPE_BYTES_MAX == 256 * 1024


async def test_an_event_that_is_too_large_for_any_envelope_goes_alone_and_holds_up_nobody() -> None:
    world = RelayWorld()
    large = event(ENVELOPE_BYTES_MAX + 1)
    await world.add(b"1", large, b"2")
    assert await world.relay() == RelayResult(3, full=False)
    assert [envelope.body for envelope in world.bus.envelopes] == [b"[1]", b"[" + large + b"]", b"[2]"]


@pytest.mark.parametrize("error", [Unavailable("away"), ValueError("bug"), asyncio.CancelledError()])
async def test_any_failure_puts_all_events_back(error: BaseException) -> None:
    def fail() -> None:
        raise error

    world = RelayWorld(Bus(fail))
    await world.add(b"1", b"2")
    await world.add(b"3")
    with pytest.raises(type(error)):
        await world.relay()
    assert world.waiting() == [b"1,2", b"3"]


async def test_two_relays_share_the_events_and_send_none_twice() -> None:
    world = RelayWorld()
    for start in range(0, 150, 10):
        await world.add(*numbered(start, start + 10))
    rounds = await asyncio.gather(world.relay(), world.relay())
    assert sorted(done.events for done in rounds) == [50, 100]
    sent = [number for envelope in world.bus.envelopes for number in json.loads(envelope.body)]
    assert sorted(sent) == list(range(150))


async def test_a_row_that_was_just_committed_is_left_to_the_process_that_committed_it() -> None:
    world = RelayWorld()
    await world.add(b"1")
    world.clock.advance(-1.5)
    assert await world.relay() == NONE
    world.clock.advance(1)
    assert await world.relay() == RelayResult(1, full=False)


async def test_a_committed_row_is_published_as_it_was_kept_and_is_gone_a_round_later() -> None:
    world = RelayWorld()
    await world.add(b"1")
    await world.add(b"2", b"3")
    assert await world.publish_committed() == RelayResult(3, full=False, removes_later=True)
    assert world.bus.envelopes == [Envelope(TYPE, b"[1,2,3]")]
    assert world.waiting() == [b"1", b"2,3"]
    assert await world.publish_committed() == NONE
    assert world.waiting() == []


async def test_rows_that_were_published_within_a_moment_leave_the_outbox_in_one_transaction() -> None:
    world = RelayWorld()
    for number in range(4):
        await world.add(b"%d" % number)
        world.clock.advance(-2)
        await world.publish_committed()
        world.clock.advance(0.4 * REMOVED_AFTER_S)
        assert len(world.waiting()) == (number + 1 if number < 3 else 0)
    assert timedelta(seconds=2 * REMOVED_AFTER_S) < LEFT_BEHIND_AFTER


async def test_however_fast_they_come_no_more_than_100_wait_to_leave_it() -> None:
    world = RelayWorld()
    for _ in range(REMOVED_ROWS_MAX // ROWS_MAX):
        for number in range(ROWS_MAX):
            await world.add(b"%d" % number)
        world.clock.advance(-2 * ROWS_MAX)
        done = await world.publish_committed()
    assert done == RelayResult(ROWS_MAX, full=True)
    assert world.waiting() == []


async def test_a_published_row_that_is_still_there_is_published_again_by_the_process_that_finds_it() -> None:
    world = RelayWorld()
    await world.add(b"1")
    await world.publish_committed()
    assert await world.relay() == RelayResult(1, full=False)
    assert world.bus.envelopes == [Envelope(TYPE, b"[1]")] * 2
    assert await world.publish_committed() == NONE
    assert world.waiting() == []


async def test_a_row_leaves_the_outbox_only_once_the_bus_has_it() -> None:
    def still_there() -> None:
        assert world.waiting() == [b"1"]

    world = RelayWorld(Bus(still_there))
    await world.add(b"1")
    assert await world.publish_committed() == RelayResult(1, full=False, removes_later=True)
    assert await world.publish_committed() == NONE
    assert world.waiting() == []


async def test_a_round_publishes_what_10_transactions_committed_and_the_rest_comes_next() -> None:
    world = RelayWorld()
    for number in range(25):
        await world.add(b"%d" % number)
    rounds = [await world.publish_committed() for _ in range(4)]
    assert rounds == [
        RelayResult(10, full=True, removes_later=True),
        RelayResult(10, full=True, removes_later=True),
        RelayResult(5, full=False, removes_later=True),
        NONE,
    ]
    assert world.waiting() == []


@pytest.mark.parametrize("error", [Unavailable("away"), ValueError("bug"), asyncio.CancelledError()])
async def test_a_row_that_cannot_be_published_is_left_behind_with_all_that_came_after_it(
    error: BaseException,
) -> None:
    def fail() -> None:
        raise error

    world = RelayWorld(Bus(fail))
    for number in range(11):
        await world.add(b"%d" % number)
    with pytest.raises(type(error)):
        await world.publish_committed()
    assert await world.publish_committed() == NONE
    assert len(world.waiting()) == 11


async def test_a_row_that_a_process_cannot_publish_soon_is_left_behind_too() -> None:
    world = RelayWorld()
    for number in range(BUFFER_ROWS_MAX + 1):
        await world.add(b"%d" % number)
    while (await world.publish_committed()).events:
        pass
    assert world.waiting() == [b"%d" % BUFFER_ROWS_MAX]
    assert await world.relay() == RelayResult(1, full=False)
