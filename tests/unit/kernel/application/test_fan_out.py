"""Fan-out: a row leaves the outbox once every consumer has it, and one that fails delays no other."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import msgspec
import pytest

from kernel.adapters.in_process.bus import InProcessBroker, InProcessBus
from kernel.application import fan_out
from kernel.application.fan_out import ForConsumer, RelayToConsumer
from kernel.application.relay import BUFFER_ROWS_MAX, PublishCommitted, RelayResult
from kernel.contracts.messaging import Catalog, Messaging
from kernel.domain.errors import Unavailable
from kernel.ports.outbox import OutboxRow
from tests.memory.database import MemoryDatabase
from tests.memory.outbox import OUTBOX, MemoryBacklog, MemoryOutbox
from tests.memory.unit_of_work import MemoryUnitOfWork
from tests.unit.clock import RecordingClock

TYPE = "shop.tests.happened.v1"
CONSUMERS = ("a", "b", "c")
CATALOG = Catalog(
    [
        Messaging(service="tests", publishes={TYPE: msgspec.Struct}),
        *(Messaging(service=name, subscribes=[TYPE]) for name in CONSUMERS),
    ]
)

React = Callable[[], Awaitable[None]]


async def take() -> None:
    pass


async def fail() -> None:
    raise Unavailable("away")


class World:
    """A service that publishes, and three consumers, each of which reacts to a message as it is told to."""

    def __init__(self) -> None:
        self.database = MemoryDatabase()
        self.clock = RecordingClock()
        self.got: dict[str, list[int]] = {name: [] for name in CONSUMERS}
        self.offered: dict[str, int] = dict.fromkeys(CONSUMERS, 0)
        self.reacts: dict[str, React] = dict.fromkeys(CONSUMERS, take)
        self._added = 0

    async def start(self) -> None:
        """Starts the process anew: its memory is empty."""
        broker = InProcessBroker(CATALOG)
        self.bus = InProcessBus(broker, "tests")
        for name in CONSUMERS:
            await InProcessBus(broker, name).subscribe(self._handler(name))
        self.each = dict(zip(CONSUMERS, ForConsumer.each(self.bus.consumers(TYPE)), strict=True))

    def _handler(self, name: str) -> Callable[[bytes], Awaitable[None]]:
        async def handle(body: bytes) -> None:
            self.offered[name] += 1
            await self.reacts[name]()
            self.got[name] += msgspec.json.decode(body)

        return handle

    async def add(self, count: int = 1) -> None:
        """Adds so many rows of one event, long before anything else happens."""
        for _ in range(count):
            async with (uow := MemoryUnitOfWork(self.database)):
                await MemoryOutbox[int](
                    uow, self.clock, lambda event, *_: (TYPE, b"%d" % event), self._committed
                ).add([self._added])
            self._added += 1
            self.clock.advance(0.001)
        self.clock.advance(2)

    def _committed(self, row: OutboxRow) -> None:
        for one in self.each.values():
            one.add(row)

    @property
    def waiting(self) -> int:
        return len(self.database.rows(OUTBOX))

    async def publish_committed(self, name: str) -> RelayResult:
        uow = MemoryUnitOfWork(self.database)
        return await PublishCommitted(uow, MemoryBacklog(uow), self.bus, self.clock)(TYPE, self.each[name])

    async def relay(self, name: str) -> RelayResult:
        uow = MemoryUnitOfWork(self.database)
        backlog = MemoryBacklog(uow)
        publish = PublishCommitted(uow, backlog, self.bus, self.clock)
        return await RelayToConsumer(uow, backlog, publish, self.clock)(TYPE, self.each[name])

    async def drain(self, name: str) -> None:
        """Runs the relays of a consumer until it has all that it can get, or fails."""
        for act in (self.publish_committed, self.relay):
            with suppress(Unavailable):
                while (await act(name)).full:
                    pass

    @asynccontextmanager
    async def relaying(self) -> AsyncIterator[None]:
        """All relays of all consumers, side by side."""

        async def run(act: Callable[[str], Awaitable[RelayResult]], name: str) -> None:
            while True:
                with suppress(Unavailable):
                    await act(name)
                await asyncio.sleep(0)

        acts = self.publish_committed, self.relay
        tasks = [asyncio.create_task(run(act, name)) for name in CONSUMERS for act in acts]
        try:
            async with asyncio.timeout(20):
                yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


@pytest.fixture
async def world() -> World:
    world = World()
    await world.start()
    return world


async def test_a_row_leaves_the_outbox_once_every_consumer_has_it(world: World) -> None:
    await world.add(3)
    assert await world.publish_committed("a") == RelayResult(0, full=False)
    assert await world.publish_committed("c") == RelayResult(0, full=False)
    assert world.waiting == 3
    assert await world.publish_committed("b") == RelayResult(3, full=False)
    assert world.waiting == 0
    assert world.got == {"a": [0, 1, 2], "b": [0, 1, 2], "c": [0, 1, 2]}


async def test_a_row_that_was_left_behind_leaves_the_outbox_once_every_consumer_has_it(world: World) -> None:
    await world.add(3)
    await world.start()
    assert [await world.relay(name) for name in CONSUMERS] == [
        RelayResult(0, full=False),
        RelayResult(0, full=False),
        RelayResult(3, full=False),
    ]
    assert world.waiting == 0


@pytest.mark.parametrize("react", [fail, asyncio.Event().wait])
async def test_one_that_fails_or_hangs_delays_no_other_however_much_comes(world: World, react: React) -> None:
    count = 5 * BUFFER_ROWS_MAX
    world.reacts["b"] = react
    async with world.relaying():
        for _ in range(5):
            await world.add(BUFFER_ROWS_MAX)
            await asyncio.sleep(0)
        while len(world.got["a"]) < count or len(world.got["c"]) < count:
            await asyncio.sleep(0)
    assert sorted(world.got["a"]) == sorted(world.got["c"]) == list(range(count))
    assert (world.got["b"], world.waiting) == ([], count)


async def test_one_that_failed_is_offered_it_again_alone(world: World) -> None:
    world.reacts["b"] = fail
    await world.add(BUFFER_ROWS_MAX + 20)
    for name in CONSUMERS:
        await world.drain(name)
    others = world.offered["a"], world.offered["c"]
    world.reacts["b"] = take
    for name in CONSUMERS:
        await world.drain(name)
    assert world.got["b"] == list(range(BUFFER_ROWS_MAX + 20))
    assert (world.offered["a"], world.offered["c"]) == others
    assert world.waiting == 0


async def test_after_a_restart_all_are_offered_what_one_lacks(world: World) -> None:
    world.reacts["b"] = fail
    await world.add(3)
    for name in CONSUMERS:
        await world.drain(name)
    world.reacts["b"] = take
    await world.start()
    for name in CONSUMERS:
        await world.drain(name)
    assert world.got == {"a": [0, 1, 2, 0, 1, 2], "b": [0, 1, 2], "c": [0, 1, 2, 0, 1, 2]}
    assert world.waiting == 0


async def test_the_memory_of_a_consumer_is_bounded_and_it_gets_every_commit_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fan_out, "KNOWN_ROWS_MAX", 25)
    world.reacts["b"] = fail
    for _ in range(10):
        await world.add(10)
        for name in CONSUMERS:
            await world.drain(name)
            assert len(world.each[name].known) <= 25
    assert world.got["a"] == world.got["c"] == list(range(100))
    world.reacts["b"] = take
    while world.waiting:
        for name in CONSUMERS:
            await world.drain(name)
    assert set(world.got["b"]) == set(range(100))
    assert not any(one.known for one in world.each.values())


async def test_a_row_that_is_committed_while_the_outbox_is_read_is_not_published_twice(world: World) -> None:
    await world.add()
    (row,) = world.database.rows(OUTBOX)
    assert world.each["a"].claim([row]) == []
    await world.start()
    assert world.each["a"].claim([row]) == [row]
    assert world.each["a"].claim([row]) == []


async def test_consumers_that_are_far_ahead_of_each_other_come_together_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fan_out, "KNOWN_ROWS_MAX", 10)
    for name in CONSUMERS:
        # This one gets what is committed now, the others leave it behind.
        await world.add(30)
        for other in {*CONSUMERS} - {name}:
            world.each[other].leave_behind()
        for _ in range(3):
            await world.publish_committed(name)
        assert len(world.each[name].known) == 10
    async with world.relaying():
        while world.waiting:
            await asyncio.sleep(0)
    for name in CONSUMERS:
        assert set(world.got[name]) == set(range(90))
        assert world.each[name].known == set()


@pytest.mark.parametrize("known_max", [10_000, 5])
@pytest.mark.parametrize("seed", range(20))
async def test_each_consumer_gets_everything_and_nothing_is_left_whatever_fails_in_whatever_order(
    world: World, seed: int, known_max: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fan_out, "KNOWN_ROWS_MAX", known_max)
    rng = random.Random(seed)

    async def now_and_then() -> None:
        for _ in range(rng.randrange(4)):
            await asyncio.sleep(0)
        if rng.random() < 0.3:
            raise Unavailable("away")

    world.reacts = dict.fromkeys(CONSUMERS, now_and_then)

    async with world.relaying():
        for _ in range(20):
            await world.add(rng.randrange(15))
            for _ in range(rng.randrange(10)):
                await asyncio.sleep(0)
        while world.waiting:
            await asyncio.sleep(0)
    for name in CONSUMERS:
        assert set(world.got[name]) == set(range(world._added))
        assert world.each[name].known == set()
