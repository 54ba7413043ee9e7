from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from kernel.domain.errors import TEMPORARY
from kernel.ports.clock import Clock

T = TypeVar("T")

DELAY_MAX_S = 2.0


@dataclass
class Backoff:
    """Waits after a failure: 0.05 s after the first, then twice as long each time, up to 2 s. Jitter shortens
    each wait by up to half, so that replicas do not return in step (Brooker, "Exponential Backoff And
    Jitter", AWS 2015)."""

    clock: Clock
    failures: int = 0

    async def wait(self) -> None:
        ceiling = min(DELAY_MAX_S, 0.05 * 2 ** min(self.failures, 16))
        self.failures += 1
        await self.clock.sleep(ceiling * (0.5 + self.clock.random() / 2))

    def reset(self) -> None:
        self.failures = 0


async def until_done(act: Callable[[], Awaitable[T]], clock: Clock) -> T:
    """Calls `act` until it raises no temporary error. Returns its result. `act` must be safe to repeat."""
    backoff = Backoff(clock)
    while True:
        try:
            return await act()
        except TEMPORARY:
            await backoff.wait()
