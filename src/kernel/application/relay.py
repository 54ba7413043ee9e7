"""Publishes the events of the outbox to the bus: each at least once, and never before its commit."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from kernel.application.envelopes import envelopes
from kernel.domain.value import value
from kernel.ports.bus import Publisher
from kernel.ports.clock import Clock
from kernel.ports.outbox import Backlog, OutboxRow
from kernel.ports.unit_of_work import UnitOfWork

ROWS_MAX = 10
# Younger rows are left to the process that committed them.
LEFT_BEHIND_AFTER = timedelta(seconds=1)
BUFFER_ROWS_MAX = 100
# Each removal costs a transaction, so several publications share one. It must come well before
# LEFT_BEHIND_AFTER, because after that time the rows would be published again.
REMOVED_AFTER_S = 0.4
REMOVED_ROWS_MAX = 100


@value
class RelayResult:
    """The result of one round of a relay."""

    events: int
    """The number of events of this round that every consumer has now."""
    full: bool
    """Whether more rows may wait in the outbox."""
    removes_later: bool = False
    """Whether published rows still have to be removed from the outbox."""

    @classmethod
    def of(
        cls,
        taken: Sequence[OutboxRow],
        published: Sequence[OutboxRow] | None = None,
        *,
        removes_later: bool = False,
    ) -> Self:
        """`published` are the rows that every consumer has. None means that these are all rows in `taken`."""
        events = sum(row.count for row in (taken if published is None else published))
        return cls(events, len(taken) == ROWS_MAX, removes_later)


class RelayBuffer:
    """The rows of one event type that this process committed and has yet to publish. A row that does not fit
    into the full buffer stays in the outbox, and a relay of left-behind rows publishes it later."""

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
        """Drops all rows, because `taken` could not be published. RelayEvents finds them in the outbox."""
        self._rows.clear()

    def published(self, taken: Sequence[OutboxRow]) -> Sequence[OutboxRow]:
        """Returns the rows of `taken`, just published, that may leave the outbox: every consumer has them."""
        return taken

    def due(self, published: Sequence[OutboxRow], now: float) -> Sequence[OutboxRow]:
        """Returns the published rows to remove from the outbox now. Rows are collected until the first row
        has waited for REMOVED_AFTER_S, REMOVED_ROWS_MAX rows wait, or `published` is empty."""
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
    """Publishes newly committed rows from memory, and removes them from the outbox shortly afterwards."""

    uow: UnitOfWork
    backlog: Backlog
    publisher: Publisher
    clock: Clock

    async def __call__(self, event_type: str, buffer: RelayBuffer) -> RelayResult:
        """After a failure, all rows stay in the outbox, so published rows may be published again."""
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
    """Publishes the oldest left-behind rows. Removes them from the outbox once the bus has confirmed them."""

    uow: UnitOfWork
    backlog: Backlog
    publisher: Publisher
    clock: Clock

    async def __call__(self, event_type: str) -> RelayResult:
        """After a failure, all rows stay in the outbox."""
        before = self.clock.now() - LEFT_BEHIND_AFTER
        async with self.uow:
            taken = await self.backlog.take(event_type, count_max=ROWS_MAX, before=before)
            if taken:
                await self.publisher.publish(envelopes(taken))
        return RelayResult.of(taken)
