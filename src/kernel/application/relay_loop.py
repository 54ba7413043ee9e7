"""The loop of a relay. Commits and polls wake it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from kernel.application.backoff import Backoff
from kernel.application.gathering import Gathering
from kernel.application.relay import REMOVED_AFTER_S, RelayResult
from kernel.domain.errors import TEMPORARY
from kernel.ports.clock import Clock

logger = logging.getLogger(__name__)


class Relay:
    """Publishes events in rounds. After a full round, the next one follows at once; otherwise the relay waits
    until it is woken.

    While the process is busy, the next round begins later (Gathering), so that it publishes more events.
    """

    def __init__(
        self,
        publish: Callable[[], Awaitable[RelayResult]],
        clock: Clock,
        *,
        wake: asyncio.Event | None = None,
    ) -> None:
        self._publish = publish
        self._clock = clock
        self._wake = wake or asyncio.Event()
        self._backoff = Backoff(clock)
        self._gathering = Gathering(clock)
        self._stopping = False

    def wake(self) -> None:
        self._wake.set()

    def stop(self) -> None:
        """Makes `run` end once no event waits any more, or when publishing fails."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        while True:
            self._wake.clear()
            began = self._clock.monotonic()
            try:
                done = await self._publish()
            except TEMPORARY:
                done = None
            except Exception:
                logger.exception("the relay failed, its events stay in the outbox")
                done = None
            if self._stopping and not (done and (done.full or done.removes_later)):
                return
            if done is None:
                await self._backoff.wait()
                continue
            self._backoff.reset()
            if not (done.full or self._stopping):
                await self._rest(REMOVED_AFTER_S if done.removes_later else None)
                if done.events:
                    await self._gather(since=began)

    async def _rest(self, within_s: float | None) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._wake.wait()

    async def _gather(self, *, since: float) -> None:
        wait_s = since + self._gathering.interval_s() - self._clock.monotonic()
        if wait_s > 0 and not self._stopping:
            await self._clock.sleep(wait_s)
