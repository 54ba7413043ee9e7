"""From the outbox to the bus: at least once, never before the commit, never lost."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Self

from kernel.application.backoff import Backoff
from kernel.application.envelopes import envelopes
from kernel.domain.errors import Contention, OutcomeUnknown, Unavailable
from kernel.domain.value import value
from kernel.ports.bus import Publisher
from kernel.ports.clock import Clock
from kernel.ports.outbox import Backlog, Joined
from kernel.ports.unit_of_work import UnitOfWork

ROWS_MAX = 10
POLL_S = 1.0

logger = logging.getLogger(__name__)


@value
class Round:
    """One transaction of a relay: how many events left the outbox, and whether more may wait."""

    events: int
    full: bool

    @classmethod
    def of(cls, taken: Sequence[Joined]) -> Self:
        return cls(sum(joined.count for joined in taken), full=len(taken) == ROWS_MAX)


class RelayEvents:
    """Publishes the oldest events of one type; they leave the outbox only once the bus confirmed them."""

    def __init__(self, uow: UnitOfWork, backlog: Backlog, publisher: Publisher) -> None:
        self.uow = uow
        self.backlog = backlog
        self.publisher = publisher

    async def __call__(self, event_type: str) -> Round:
        """What was published. Any failure puts all of it back."""
        async with self.uow:
            taken = await self.backlog.take(event_type, count_max=ROWS_MAX)
            if taken:
                await self.publisher.publish(envelopes(taken))
        return Round.of(taken)


class Relay:
    """Keeps one type of event flowing: woken after a commit, and by a poll for what others left behind."""

    def __init__(
        self, relay_events: Callable[[], Awaitable[Round]], wake: asyncio.Event, clock: Clock
    ) -> None:
        self._relay_events = relay_events
        self._wake = wake
        self._clock = clock
        self._backoff = Backoff(clock)
        self._stopping = False

    def stop(self) -> None:
        """Ends `run` as soon as nothing waits any more, or nothing can be published now."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        while True:
            self._wake.clear()
            try:
                done = await self._relay_events()
            except (Unavailable, OutcomeUnknown, Contention):
                done = None
            except Exception:
                logger.exception("the relay failed, its events stay in the outbox")
                done = None
            if self._stopping and not (done and done.full):
                return
            if done is None:
                await self._backoff.wait()
                continue
            self._backoff.reset()
            if not done.full:
                await self._rest()

    async def _rest(self) -> None:
        """Give or take half of the time, or all relays would poll at once, and hold up whoever comes then."""
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_S * (0.5 + self._clock.random())):
                await self._wake.wait()
