import asyncio
import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

EPOCH = datetime(2025, 1, 1, tzinfo=UTC)


class MemoryClock:
    """A clock whose time passes only by `sleep` and `advance`. The same seed gives the same ids and times.

    No real time passes: a sleeping task lets other tasks run, and wakes at the end of its virtual sleep.
    Sleeps overlap: two sleeps of one second that begin together take one second.
    """

    def __init__(self, seed: int = 0, now: datetime = EPOCH) -> None:
        self._now = now
        self._random = random.Random(seed)
        self._ids_count = 0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return (self._now - EPOCH).total_seconds()

    def cpu_s(self) -> float:
        """The CPU time of a process that is always busy."""
        return self.monotonic()

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)

    def new_id(self) -> UUID:
        """RFC 9562, section 6.2, method 1: a counter of 42 bits, then 32 bits that tell clocks apart."""
        self._ids_count += 1
        unix_ms = (self.now() - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)
        tail = self._ids_count << 32 | self._random.getrandbits(32)
        return UUID(int=unix_ms << 80 | 7 << 76 | tail >> 62 << 64 | 2 << 62 | tail & (1 << 62) - 1)

    def random(self) -> float:
        return self._random.random()

    async def sleep(self, seconds: float) -> None:
        end = self._now + timedelta(seconds=seconds)
        await asyncio.sleep(0)
        self._now = max(self._now, end)
