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
    """Deletes the inbox rows of messages too old to be delivered again. Business keys never expire."""

    uow: UnitOfWork
    inbox: Inbox
    clock: Clock

    async def __call__(self) -> bool:
        """Returns whether there may be more to do."""
        async with self.uow:
            pruned = await self.inbox.prune(before=self.clock.now() - INBOX_KEPT, count_max=PRUNE_COUNT_MAX)
        return pruned == PRUNE_COUNT_MAX


@dataclass
class Periodically:
    """Runs `job` every `every_s` seconds, and again at once if it returns that there may be more to do.

    Jobs run at multiples of their interval, so that all jobs of a process run together: an idle process then
    wakes up once for all of them.
    """

    job: Callable[[], Awaitable[bool]]
    every_s: float
    clock: Clock

    async def run(self) -> None:
        while True:
            more = False
            try:
                more = await self.job()
            except TEMPORARY:
                pass
            except Exception:
                logger.exception("a periodic job failed")
            if not more:
                rest_s = self.every_s - self.clock.monotonic() % self.every_s
                await self.clock.sleep(rest_s if rest_s > EARLY_S else rest_s + self.every_s)
