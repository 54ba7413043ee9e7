import time
from collections import OrderedDict

from limits.aio.storage import MemoryStorage

# A counter takes about 300 bytes. Above this number of counters, the one that ends first is removed.
COUNTERS_MAX = 100_000


class CountersInMemory(MemoryStorage):
    """A storage for counters with equally long windows. A counter is removed when its window ends.

    The library's own storage scans all counters at each hit, which takes 1 ms for 20,000 counters. Here the
    counters end in the order in which they began, so a hit checks only the oldest ones.
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
