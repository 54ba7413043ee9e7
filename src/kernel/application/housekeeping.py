"""Periodic jobs of a service. Any number of replicas may do a job at once."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from kernel.domain.errors import TEMPORARY
from kernel.ports.clock import Clock
from kernel.ports.inbox import Inbox
from kernel.ports.unit_of_work import UnitOfWork

INBOX_KEPT = timedelta(days=7)
PRUNE_COUNT_MAX = 1000
# Timers of uvloop have a resolution of a millisecond, and may fire early.
EARLY_S = 0.002

logger = logging.getLogger(__name__)


@dataclass
class PruneInbox:
    """Deletes inbox rows of messages that are too old to be delivered again; business keys never expire."""

    uow: UnitOfWork
    inbox: Inbox
    clock: Clock

    async def __call__(self) -> bool:
        """Whether there may be more to do."""
        async with self.uow:
            pruned = await self.inbox.prune(before=self.clock.now() - INBOX_KEPT, count_max=PRUNE_COUNT_MAX)
        return pruned == PRUNE_COUNT_MAX


class Periodically:
    """Does a job every so many seconds, and at once while there is more to do.

    The times are multiples of the interval, so jobs of a process run together: one wake-up of an idle process
    for all of them costs less than one for each.
    """

    def __init__(self, job: Callable[[], Awaitable[bool]], every_s: float, clock: Clock) -> None:
        self._job = job
        self._every_s = every_s
        self._clock = clock

    async def run(self) -> None:
        while True:
            try:
                more = await self._job()
            except TEMPORARY:
                more = False
            except Exception:
                logger.exception("a periodic job failed")
                more = False
            if not more:
                rest_s = self._every_s - self._clock.monotonic() % self._every_s
                await self._clock.sleep(rest_s if rest_s > EARLY_S else rest_s + self._every_s)
