"""Publishes to each consumer of a type by itself, for a bus without queues: one that fails delays no other.

A row leaves the outbox once every consumer has it. Which consumers have it is kept in memory only: after a
restart every consumer gets the row again, and its inbox leaves out the repeats.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from kernel.application.relay import (
    BUFFER_ROWS_MAX,
    LEFT_BEHIND_AFTER,
    ROWS_MAX,
    PublishCommitted,
    RelayBuffer,
    RelayResult,
)
from kernel.domain.ids import made_at
from kernel.ports.clock import Clock
from kernel.ports.outbox import Backlog, OutboxRow
from kernel.ports.unit_of_work import UnitOfWork

KNOWN_ROWS_MAX = 10_000


class ForConsumer(RelayBuffer):
    """The rows that one consumer has yet to get, and the ids of rows that it has while other consumers lack
    them.

    Only the oldest KNOWN_ROWS_MAX ids are kept, because the other consumers catch up with the oldest rows
    first. Until they do, this consumer gets new rows that this process commits, but no other newer rows.
    """

    def __init__(self, consumer: str) -> None:
        super().__init__()
        self.to = consumer
        self._all: Sequence[Self] = ()
        # Whether the consumer has the row, or is about to get it.
        self._has: dict[UUID, bool] = {}

    @classmethod
    def each(cls, consumers: Sequence[str]) -> Sequence[Self]:
        """For one event type, a buffer for each of its consumers, in their order."""
        every = [cls(consumer) for consumer in consumers]
        for one in every:
            one._all = every
        return every

    @property
    def known(self) -> Collection[UUID]:
        return self._has.keys()

    def limit(self, before: datetime) -> datetime:
        """`before`, or an earlier time: only rows that were stored before it may go to this consumer."""
        if len(self._has) < KNOWN_ROWS_MAX:
            return before
        return min(before, made_at(max(self._has)))

    def add(self, row: OutboxRow) -> None:
        if len(self._rows) < BUFFER_ROWS_MAX and len(self._has) < KNOWN_ROWS_MAX:
            self._has[row.id] = False
        super().add(row)

    def claim(self, found: Sequence[OutboxRow]) -> list[OutboxRow]:
        """The rows that this consumer neither has nor is about to get. It is about to get them from now
        on."""
        rows = [row for row in found if row.id not in self._has]
        self._has.update((row.id, False) for row in rows)
        if len(self._has) > KNOWN_ROWS_MAX:
            for newest in sorted(self._has)[KNOWN_ROWS_MAX:]:
                del self._has[newest]
        return rows

    def leave_behind(self, taken: Sequence[OutboxRow] = ()) -> None:
        self.give_back([*taken, *self._rows])
        super().leave_behind(taken)

    def give_back(self, taken: Sequence[OutboxRow]) -> None:
        for row in taken:
            self._has.pop(row.id, None)

    def published(self, taken: Sequence[OutboxRow]) -> Sequence[OutboxRow]:
        self._has.update((row.id, True) for row in taken if row.id in self._has)
        everywhere = [row for row in taken if all(one._has.get(row.id) for one in self._all)]
        for one in self._all:
            one.give_back(everywhere)
        return everywhere

    def due(self, published: Sequence[OutboxRow], now: float) -> Sequence[OutboxRow]:
        """Rows are removed at once: their ids are forgotten here, so they would be published again."""
        return published


@dataclass
class RelayToConsumer:
    """Publishes the oldest rows that were left behind to one consumer."""

    uow: UnitOfWork
    backlog: Backlog
    publish_committed: PublishCommitted
    clock: Clock

    async def __call__(self, event_type: str, buffer: ForConsumer) -> RelayResult:
        """Any failure leaves all of the rows behind again."""
        before = buffer.limit(self.clock.now() - LEFT_BEHIND_AFTER)
        async with self.uow:
            found = await self.backlog.waiting(
                event_type, count_max=ROWS_MAX, before=before, but=buffer.known
            )
        rows = buffer.claim(found)
        try:
            return await self.publish_committed.publish(event_type, buffer, rows)
        except BaseException:
            buffer.give_back(rows)
            raise
