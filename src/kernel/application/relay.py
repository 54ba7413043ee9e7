"""Publishes the outbox to the bus: every event at least once, and never before its commit."""

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
# A removal is a transaction of its own, so several publications share it. It has to come well before
# LEFT_BEHIND_AFTER, when the rows would be published again.
REMOVED_AFTER_S = 0.4
REMOVED_ROWS_MAX = 100


@value
class RelayResult:
    """What one round of a relay did."""

    events: int
    """How many events every consumer has now."""
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
        """`published` are the rows that every consumer has; None: all of `taken`."""
        events = sum(row.count for row in (taken if published is None else published))
        return cls(events, len(taken) == ROWS_MAX, removes_later)


class RelayBuffer:
    """The rows of one type that this process committed and has yet to publish. When the buffer is full, a row
    stays in the outbox, and the polling relay publishes it later."""

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
        """Leaves all rows to RelayEvents, because `taken` could not be published."""
        self._rows.clear()

    def published(self, taken: Sequence[OutboxRow]) -> Sequence[OutboxRow]:
        """Which of these rows, just published, may leave the outbox because every consumer has them."""
        return taken

    def due(self, published: Sequence[OutboxRow], now: float) -> Sequence[OutboxRow]:
        """The published rows to remove from the outbox now. They are collected until the first has waited for
        REMOVED_AFTER_S, REMOVED_ROWS_MAX wait, or `published` is empty."""
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
    """Publishes rows that were just committed, from memory. Removes them from the outbox a moment later."""

    uow: UnitOfWork
    backlog: Backlog
    publisher: Publisher
    clock: Clock

    async def __call__(self, event_type: str, buffer: RelayBuffer) -> RelayResult:
        """Any failure leaves all rows behind, so that published rows may be published again."""
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
    """Publishes the oldest rows that were left behind, and removes them once the bus confirmed them."""

    uow: UnitOfWork
    backlog: Backlog
    publisher: Publisher
    clock: Clock

    async def __call__(self, event_type: str) -> RelayResult:
        """Any failure puts all rows back."""
        before = self.clock.now() - LEFT_BEHIND_AFTER
        async with self.uow:
            taken = await self.backlog.take(event_type, count_max=ROWS_MAX, before=before)
            if taken:
                await self.publisher.publish(envelopes(taken))
        return RelayResult.of(taken)
