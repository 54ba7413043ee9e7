"""Whose calls are counted, and what holds while the store that replicas share is away."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from math import inf
from typing import Any

import pytest

from kernel.adapters.rate_limits import shared
from kernel.adapters.rate_limits.in_memory import CountersInMemory
from kernel.adapters.rate_limits.rate_limits import CountedRateLimits
from kernel.adapters.rate_limits.shared import WAIT_S, SharedCounters
from kernel.domain.caller import ANYONE, Caller, Role
from kernel.domain.errors import RateLimited
from kernel.ports.rate_limits import RateLimits
from tests.memory.clock import MemoryClock

ALICE, BOB = Caller(Role.USER, "alice"), Caller(Role.USER, "bob")
GATEWAY = Caller(Role.SERVICE, "gateway", "gateway")
FOR_ALICE = Caller(Role.USER, "alice", "gateway")
HOME, OFFICE = "192.0.2.1", "192.0.2.2"
RATE = "3/day"


async def admitted(limits: RateLimits, caller: Caller, address: str = HOME, calls: int = 9) -> int:
    count = 0
    for _ in range(calls):
        try:
            await limits.count(caller, address)
        except RateLimited:
            continue
        count += 1
    return count


@pytest.fixture
def limits() -> CountedRateLimits:
    return CountedRateLimits(RATE, "gateway", MemoryClock())


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.VIEWER])
async def test_operators_and_viewers_are_counted_as_users(limits: CountedRateLimits, role: Role) -> None:
    assert await admitted(limits, Caller(role, "olga")) == 3


@pytest.mark.parametrize("caller", [GATEWAY, FOR_ALICE])
async def test_a_call_of_a_service_counts_for_nobody(limits: CountedRateLimits, caller: Caller) -> None:
    assert await admitted(limits, caller) == 9
    assert await admitted(limits, ALICE) == 3
    assert await admitted(limits, ANYONE) == 3


class Store(CountersInMemory):
    """A store that replicas share, and that may be away in two ways."""

    is_gone = False
    is_silent = False
    asked = 0
    delay_s = 0.0

    def __init__(self, clock: MemoryClock) -> None:
        super().__init__()
        self._clock = clock

    async def _answer(self) -> None:
        self.asked += 1
        self._clock.advance(self.delay_s)
        if self.is_silent:
            await asyncio.Event().wait()
        if self.is_gone:
            raise ConnectionRefusedError

    async def acquire_sliding_window_entry(self, *args: Any, **more: Any) -> bool:
        await self._answer()
        return await super().acquire_sliding_window_entry(*args, **more)

    async def get_sliding_window(self, *args: Any) -> tuple[int, float, int, float]:
        await self._answer()
        return await super().get_sliding_window(*args)


@pytest.fixture
def store(clock: MemoryClock) -> Store:
    return Store(clock)


class Replica:
    def __init__(self, store: Store, clock: MemoryClock) -> None:
        self.shared = SharedCounters(RATE, store, clock)
        self.limits = CountedRateLimits(RATE, "gateway", clock, self.shared)


@pytest.fixture
async def replicas(store: Store, clock: MemoryClock) -> tuple[Replica, Replica]:
    one, other = Replica(store, clock), Replica(store, clock)
    await one.shared.look()
    await other.shared.look()
    return one, other


async def test_replicas_count_together(replicas: tuple[Replica, Replica]) -> None:
    one, other = replicas
    assert await admitted(one.limits, ALICE, calls=2) == 2
    assert await admitted(other.limits, ALICE) == 1
    assert await admitted(one.limits, ALICE) == 0
    assert await one.limits.is_shared()


async def test_a_flood_does_not_reach_the_store(replicas: tuple[Replica, Replica], store: Store) -> None:
    one, _ = replicas
    await admitted(one.limits, ALICE, calls=4)
    asked = store.asked
    assert await admitted(one.limits, ALICE, calls=100) == 0
    assert store.asked == asked


@pytest.mark.parametrize("how", ["is_gone", "is_silent"])
async def test_while_the_store_is_away_each_process_goes_on_with_its_own_count(
    replicas: tuple[Replica, Replica],
    store: Store,
    how: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shared, "LOOK_WITHIN_S", 0.05)
    caplog.set_level(logging.INFO)
    one, other = replicas
    assert await admitted(one.limits, ALICE, calls=1) == 1
    setattr(store, how, True)
    assert await admitted(one.limits, ALICE) == 2
    assert await admitted(other.limits, ALICE) == 3
    assert await admitted(other.limits, BOB) == 3
    for replica in replicas:
        await replica.shared.look()
        await replica.shared.look()
        assert not await replica.limits.is_shared()
    asked = store.asked
    assert await admitted(one.limits, BOB) == 3
    assert store.asked == asked, "somebody asks a store that is known to be away"
    setattr(store, how, False)
    await one.shared.look()
    assert await one.limits.is_shared()
    assert await admitted(one.limits, ALICE) == 2, "the store counts on from what it had"
    lines = [record.getMessage() for record in caplog.records]
    assert len([line for line in lines if "is away" in line]) == 2, lines
    assert [line for line in lines if "is back" in line] == ["the store of rate limits is back"]


async def test_a_store_that_is_always_late_is_as_good_as_away_and_one_that_is_late_now_and_then_is_not(
    replicas: tuple[Replica, Replica], store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    one, _ = replicas

    async def looks(*delays_s: float) -> None:
        for store.delay_s in delays_s:
            await one.shared.look()

    late, soon = 2 * WAIT_S, 0.0
    await looks(late, late, late, soon, late, late, late)
    assert await one.limits.is_shared()
    await looks(late)
    assert not await one.limits.is_shared()
    await looks(soon)
    assert await one.limits.is_shared()
    assert len([record for record in caplog.records if "too late" in record.getMessage()]) == 1


async def ask_once(limits: RateLimits) -> None:
    await limits.count(ALICE, HOME)


async def ask_twice(limits: RateLimits) -> None:
    """Asks for room and then counts, as a call with a bad token does."""
    await limits.require_room(HOME)
    await limits.count(ANYONE, HOME)


@pytest.mark.parametrize("call", [ask_once, ask_twice])
async def test_no_call_waits_for_the_store_for_longer_than_50_ms(
    replicas: tuple[Replica, Replica], store: Store, call: Callable[[RateLimits], Awaitable[None]]
) -> None:
    one, _ = replicas
    store.is_silent = True
    loop, quickest_s = asyncio.get_running_loop(), inf
    for _ in range(20):  # Others use this machine, too.
        started = loop.time()
        with suppress(RateLimited):
            await call(one.limits)
        quickest_s = min(quickest_s, loop.time() - started)
        if quickest_s < 0.055:
            break
    assert 0.02 < quickest_s < 0.055


async def test_counters_that_are_over_go_also_where_nobody_calls(
    limits: CountedRateLimits, monkeypatch: pytest.MonkeyPatch
) -> None:
    await admitted(limits, ALICE)
    looked = []
    monkeypatch.setattr(CountersInMemory, "remove_ended", lambda self: looked.append(len(self)))
    running = asyncio.create_task(limits.run())
    async with asyncio.timeout(5):
        while len(looked) < 3:
            await asyncio.sleep(0)
    running.cancel()
    assert looked[0] == 1
