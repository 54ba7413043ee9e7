import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

from limits import parse
from limits.aio.storage import RedisStorage, Storage
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from kernel.adapters.rate_limits.counters import Counters, Key, StoreIsAway
from kernel.adapters.words import in_words
from kernel.application.trouble import Trouble
from kernel.ports.clock import Clock

# A call asks the store at most twice, so it waits at most 50 ms.
WAIT_S = 0.025
LOOK_WITHIN_S = 1.0
# After this number of late checks in a row, the store is not used. Fewer are normal on a busy machine.
LATE_MAX = 4
CONNECTIONS_MAX = 50
# A check counts like a call, and so tests everything that calls need from the store. It is never refused.
_LOOK_RATE = "1000000/minute"
_LOOK = ("look",)

_FAILURES = (RedisError, OSError, TimeoutError)


class SharedCounters:
    """The counters of all replicas, in Redis. If Redis is known to be unreachable, no call waits for it.

    A refused user or address is refused from memory until its wait ends, so a flood does not reach Redis.
    """

    def __init__(self, rate: str, storage: Storage, clock: Clock) -> None:
        self._counters = Counters(parse(rate), storage)
        self._looks = Counters(parse(_LOOK_RATE), storage)
        self._clock = clock
        self._refused_until: dict[Key, float] = {}
        self._late_count = 0
        self._answers = False
        self._trouble = Trouble("the store of rate limits", clock)

    async def seconds_until_allowed(self, key: Key, *, counted: bool) -> float | None:
        """Does the same as `Counters.seconds_until_allowed`, but raises StoreIsAway if the store is away."""
        if not self._answers:
            raise StoreIsAway
        left_s = self._refused_until.get(key, 0.0) - self._clock.monotonic()
        if left_s > 0:
            return left_s
        try:
            async with asyncio.timeout(WAIT_S):
                wait_s = await self._counters.seconds_until_allowed(key, counted=counted)
        except _FAILURES as error:
            raise StoreIsAway from error
        if wait_s is not None:
            self._refused_until[key] = self._clock.monotonic() + wait_s
        return wait_s

    @property
    def is_there(self) -> bool:
        return not self._trouble.lasts

    async def look(self) -> None:
        """Checks whether the store answers. No call waits for the check, so it may take up to a second."""
        now = self._clock.monotonic()
        self._refused_until = {key: until for key, until in self._refused_until.items() if until > now}
        try:
            async with asyncio.timeout(LOOK_WITHIN_S):
                await self._looks.seconds_until_allowed(_LOOK, counted=True)
        except _FAILURES as error:
            self._goes(in_words(error))
            return
        is_late = self._clock.monotonic() - now > WAIT_S
        self._late_count = self._late_count + 1 if is_late else 0
        if self._late_count < LATE_MAX:
            self._answers = True
            self._trouble.over()
        else:
            self._goes("it answers too late")

    def _goes(self, reason: str) -> None:
        self._answers = False
        self._trouble.report("away", f"is away, so each process counts for itself: {reason}")


@asynccontextmanager
async def open_shared_counters(rate: str, url: str, clock: Clock) -> AsyncIterator[SharedCounters]:
    pool = BlockingConnectionPool.from_url(url, max_connections=CONNECTIONS_MAX, retry=Retry(NoBackoff(), 0))
    storage = RedisStorage(
        f"async+{url}", implementation="redispy", key_prefix="shop", connection_pool=cast(Any, pool)
    )
    try:
        yield SharedCounters(rate, storage, clock)
    finally:
        await pool.disconnect()
