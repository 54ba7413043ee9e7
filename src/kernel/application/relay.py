"""From the outbox to the bus: at least once, never before the commit, never lost."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from kernel.application.backoff import Backoff
from kernel.application.envelopes import envelopes
from kernel.domain.errors import TEMPORARY
from kernel.domain.value import value
from kernel.ports.bus import Publisher
from kernel.ports.clock import Clock
from kernel.ports.outbox import Backlog, OutboxRow
from kernel.ports.unit_of_work import UnitOfWork

ROWS_MAX = 10
POLL_S = 1.0
# Until then an event is the business of the process that committed it.
LEFT_BEHIND_AFTER = timedelta(seconds=1)
BUFFER_ROWS_MAX = 100
# A removal is a transaction of its own, so what was published waits for company; well below
# LEFT_BEHIND_AFTER, or it would be published again.
REMOVED_AFTER_S = 0.2
REMOVED_ROWS_MAX = 100

logger = logging.getLogger(__name__)


@value
class RelayResult:
    """Of a relay: how many events every consumer has now, whether more may wait in the outbox, and whether
    there is something to remove from it soon."""

    events: int
    full: bool
    removes_later: bool = False

    @classmethod
    def of(
        cls,
        taken: Sequence[OutboxRow],
        published: Sequence[OutboxRow] | None = None,
        *,
        removes_later: bool = False,
    ) -> Self:
        """`published` are those of the rows that every consumer has, where not all of them are."""
        events = sum(row.count for row in (taken if published is None else published))
        return cls(events, len(taken) == ROWS_MAX, removes_later)


class RelayBuffer:
    """What this process committed of one type, and has yet to publish. When it is full, a row stays in the
    outbox, and the polling relay publishes it later."""

    to = ""

    def __init__(self) -> None:
        self.added = asyncio.Event()
        self._rows: deque[OutboxRow] = deque()
        self._published: list[OutboxRow] = []
        self._due_at = 0.0

    def add(self, row: OutboxRow) -> None:
        if len(self._rows) < BUFFER_ROWS_MAX:
            self._rows.append(row)
        self.added.set()

    def take(self, count_max: int) -> list[OutboxRow]:
        return [self._rows.popleft() for _ in range(min(count_max, len(self._rows)))]

    def leave_behind(self, taken: Sequence[OutboxRow] = ()) -> None:
        """What was taken could not be published, so all the others are left to RelayEvents too."""
        self._rows.clear()

    def published(self, taken: Sequence[OutboxRow]) -> Sequence[OutboxRow]:
        """Those of the rows that every consumer has now, so that they may leave the outbox."""
        return taken

    def due(self, published: Sequence[OutboxRow], now: float) -> Sequence[OutboxRow]:
        """What has to leave the outbox now, of these rows and those before: all, once the first has waited
        for REMOVED_AFTER_S, many wait, or nothing was published meanwhile."""
        if not self._published:
            self._due_at = now + REMOVED_AFTER_S
        self._published += published
        if published and now < self._due_at and len(self._published) < REMOVED_ROWS_MAX:
            return ()
        due, self._published = self._published, []
        return due

    @property
    def removes_later(self) -> bool:
        return bool(self._published)


@dataclass
class PublishCommitted:
    """Publishes what was just committed, unread; it leaves the outbox a moment after the bus confirmed it."""

    uow: UnitOfWork
    backlog: Backlog
    publisher: Publisher
    clock: Clock

    async def __call__(self, event_type: str, buffer: RelayBuffer) -> RelayResult:
        """What was published. Any failure leaves all of it behind, and what was published but not removed is
        published again."""
        rows = buffer.take(ROWS_MAX)
        try:
            return await self.publish(event_type, buffer, rows)
        except BaseException:
            buffer.leave_behind(rows)
            raise

    async def publish(self, event_type: str, buffer: RelayBuffer, rows: Sequence[OutboxRow]) -> RelayResult:
        if rows:
            await self.publisher.publish(envelopes(rows, buffer.to))
        published = buffer.published(rows)
        if due := buffer.due(published, self.clock.monotonic()):
            async with self.uow:
                await self.backlog.remove(event_type, [row.id for row in due])
        return RelayResult.of(rows, published, removes_later=buffer.removes_later)


@dataclass
class RelayEvents:
    """Publishes the oldest of what was left behind; it leaves the outbox only once the bus confirmed it."""

    uow: UnitOfWork
    backlog: Backlog
    publisher: Publisher
    clock: Clock

    async def __call__(self, event_type: str) -> RelayResult:
        """What was published. Any failure puts all of it back."""
        before = self.clock.now() - LEFT_BEHIND_AFTER
        async with self.uow:
            taken = await self.backlog.take(event_type, count_max=ROWS_MAX, before=before)
            if taken:
                await self.publisher.publish(envelopes(taken))
        return RelayResult.of(taken)


class Relay:
    """Keeps events flowing, round after round while they are full, then again when woken or after a while."""

    def __init__(
        self,
        publish: Callable[[], Awaitable[RelayResult]],
        clock: Clock,
        *,
        wake: asyncio.Event | None = None,
        polls: bool = True,
    ) -> None:
        self._publish = publish
        self._clock = clock
        self._wake = wake or asyncio.Event()
        self._polls = polls
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

    async def _rest(self, within_s: float | None) -> None:
        """Polls come give or take half of the time, or all relays would poll at once, and hold up whoever
        comes then."""
        if self._polls:
            within_s = POLL_S * (0.5 + self._clock.random())
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._wake.wait()
