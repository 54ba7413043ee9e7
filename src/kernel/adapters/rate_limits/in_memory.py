import time
from collections import OrderedDict

from limits.aio.storage import MemoryStorage

# A counter takes about 300 bytes. Beyond this number, the counter that would end first is removed early.
COUNTERS_MAX = 100_000


class CountersInMemory(MemoryStorage):
    """Counters that all have the same window, each removed when its window is over.

    The library's own storage scans all counters at each hit, which takes a millisecond for 20,000. Counters
    with the same window end in the order in which they began, so a hit has to look at the oldest only.
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
