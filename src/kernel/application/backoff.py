from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from kernel.domain.errors import TEMPORARY
from kernel.ports.clock import Clock

T = TypeVar("T")

DELAY_MAX_S = 2.0


@dataclass
class Backoff:
    """Waits longer after each failure in a row: 0.05 s, doubled up to 2 s, and half of it is jitter.

    Jitter keeps replicas from returning in step (Brooker, "Exponential Backoff And Jitter", AWS 2015).
    """

    clock: Clock
    failures: int = 0

    async def wait(self) -> None:
        ceiling = min(DELAY_MAX_S, 0.05 * 2 ** min(self.failures, 16))
        self.failures += 1
        await self.clock.sleep(ceiling * (0.5 + self.clock.random() / 2))

    def reset(self) -> None:
        self.failures = 0


async def until_done(act: Callable[[], Awaitable[T]], clock: Clock) -> T:
    """Calls `act`, which has to be safe to repeat, until it raises no temporary error; returns its result."""
    backoff = Backoff(clock)
    while True:
        try:
            return await act()
        except TEMPORARY:
            await backoff.wait()
