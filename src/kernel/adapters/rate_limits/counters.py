import time

from limits import RateLimitItem
from limits.aio.storage import Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

Key = tuple[str, ...]


class Counters:
    """How often everybody called within one window, in one storage."""

    def __init__(self, rate: RateLimitItem, storage: Storage) -> None:
        self._rate = rate
        self._limiter = SlidingWindowCounterRateLimiter(storage)

    async def refused_for_s(self, key: Key, *, counted: bool) -> float | None:
        """None where one more call is not too many; it is `counted`, or only asked about."""
        admits = self._limiter.hit if counted else self._limiter.test
        if await admits(self._rate, *key):
            return None
        stats = await self._limiter.get_window_stats(self._rate, *key)
        return stats.reset_time - time.time()
