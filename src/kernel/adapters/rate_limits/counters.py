import time

from limits import RateLimitItem
from limits.aio.storage import Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

Key = tuple[str, ...]


class StoreIsAway(Exception):
    """SharedCounters raises this if the store is unreachable or does not answer in time."""


class Counters:
    """Counts the calls of each user and address within a sliding window, in one storage."""

    def __init__(self, rate: RateLimitItem, storage: Storage) -> None:
        self._rate = rate
        self._limiter = SlidingWindowCounterRateLimiter(storage)

    async def seconds_until_allowed(self, key: Key, *, counted: bool) -> float | None:
        """The seconds until a call is allowed; None if it is allowed now. `counted` counts such a call."""
        admits = self._limiter.hit if counted else self._limiter.test
        if await admits(self._rate, *key):
            return None
        stats = await self._limiter.get_window_stats(self._rate, *key)
        return stats.reset_time - time.time()
