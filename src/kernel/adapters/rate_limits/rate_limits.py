from contextlib import suppress
from math import ceil
from typing import TYPE_CHECKING

from limits import parse

from kernel.adapters.rate_limits.counters import Counters, Key, StoreIsAway
from kernel.adapters.rate_limits.in_memory import CountersInMemory
from kernel.domain.caller import Caller, Role
from kernel.domain.errors import RateLimited
from kernel.ports.clock import Clock

if TYPE_CHECKING:
    from kernel.adapters.rate_limits.shared import SharedCounters

USER, ADDRESS = "user", "address"
LOOK_EVERY_S = 0.25


class CountedRateLimits:
    """Limits calls by the shared counters. Each process also counts the calls that it admits, and uses its
    own counters while the shared counters are unreachable."""

    def __init__(self, rate: str, service: str, clock: Clock, shared: "SharedCounters | None" = None) -> None:
        """`rate` is like `50/second`. Services count separately, as one call may pass through several."""
        self._rate = parse(rate)
        self._service = service
        self._clock = clock
        self._in_memory = CountersInMemory()
        self._here = Counters(self._rate, self._in_memory)
        self._shared = shared

    async def count(self, caller: Caller, address: str) -> None:
        if not caller.service:
            policy, whose = (ADDRESS, address) if caller.role is Role.ANYONE else (USER, caller.id)
            await self._require(policy, whose, counted=True)

    async def require_room(self, address: str) -> None:
        await self._require(ADDRESS, address, counted=False)

    async def _require(self, policy: str, whose: str, *, counted: bool) -> None:
        if not whose:
            return
        wait_s = await self._refused_for_s((self._service, policy, whose), counted=counted)
        if wait_s is not None:
            quota, window_s = self._rate.amount, self._rate.get_expiry()
            raise RateLimited(policy, quota, window_s, retry_after_s=max(1, ceil(wait_s)))

    async def _refused_for_s(self, key: Key, *, counted: bool) -> float | None:
        if self._shared is not None:
            with suppress(StoreIsAway):
                wait_s = await self._shared.seconds_until_allowed(key, counted=counted)
                if wait_s is None:
                    await self._here.seconds_until_allowed(key, counted=counted)
                return wait_s
        return await self._here.seconds_until_allowed(key, counted=counted)

    async def is_shared(self) -> bool:
        return self._shared is None or self._shared.is_there

    async def run(self) -> None:
        """Every 0.25 s, removes the counters whose window has ended, and checks the shared counters."""
        while True:
            self._in_memory.remove_ended()
            if self._shared is not None:
                await self._shared.look()
            await self._clock.sleep(LOOK_EVERY_S)
