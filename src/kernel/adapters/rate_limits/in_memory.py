import time
from collections import OrderedDict

from limits.aio.storage import MemoryStorage

# A counter takes about 300 bytes. Beyond that many, the one that would end first goes early.
COUNTERS_MAX = 100_000


class CountersInMemory(MemoryStorage):
    """Counters of one window, each removed when it is over.

    The library's own storage looks through all counters with each hit, which takes a millisecond where there
    are 20,000. Counters of one window end in the order of their beginning, so a hit looks at the oldest one.
    """

    def __init__(self, counters_max: int = COUNTERS_MAX) -> None:
        super().__init__()
        self._counters_max = counters_max
        self._ends: OrderedDict[str, float] = OrderedDict()
        self.expirations = self._ends

    def __len__(self) -> int:
        return len(self._ends)

    async def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        self.remove_ended()
        now = time.time()
        self.storage[key] += amount
        self._ends.setdefault(key, now + expiry)
        if len(self._ends) > self._counters_max:
            self._remove_oldest()
        return self.storage[key]

    def remove_ended(self) -> None:
        now = time.time()
        while self._ends and next(iter(self._ends.values())) <= now:
            self._remove_oldest()

    def _remove_oldest(self) -> None:
        key, _ = self._ends.popitem(last=False)
        del self.storage[key]
