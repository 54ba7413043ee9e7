"""Publishes to each consumer of an event type separately, for a bus without queues.

A consumer that fails delays no other. A row leaves the outbox once every consumer has it. Which consumers
have a row is kept in memory only. After a restart each gets it again, and its inbox leaves out the repeats.
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
    """For one consumer, keeps the rows to send, and the ids of sent rows that another consumer still lacks.

    Only the oldest KNOWN_ROWS_MAX ids are kept, because the other consumers catch up with the oldest rows
    first. While that many ids are kept, this consumer gets new rows that this process commits, but no other
    newer rows.
    """

    def __init__(self, consumer: str) -> None:
        super().__init__()
        self.to = consumer
        self._all: Sequence[Self] = ()
        # By row id: True if the consumer has the row, False if it is about to get it.
        self._has: dict[UUID, bool] = {}

    @classmethod
    def each(cls, consumers: Sequence[str]) -> Sequence[Self]:
        """Makes one buffer for each consumer of an event type, in the order of `consumers`."""
        every = [cls(consumer) for consumer in consumers]
        for one in every:
            one._all = every
        return every

    @property
    def known(self) -> Collection[UUID]:
        return self._has.keys()

    def limit(self, before: datetime) -> datetime:
        """Returns `before` or an earlier time. Rows stored later may not go to this consumer yet."""
        if len(self._has) < KNOWN_ROWS_MAX:
            return before
        return min(before, made_at(max(self._has)))

    def add(self, row: OutboxRow) -> None:
        if len(self._rows) < BUFFER_ROWS_MAX and len(self._has) < KNOWN_ROWS_MAX:
            self._has[row.id] = False
        super().add(row)

    def claim(self, found: Sequence[OutboxRow]) -> list[OutboxRow]:
        """Returns the rows that are new to this consumer, and marks them as about to be sent to it."""
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
        """Returns all rows: their ids are forgotten here, so rows that stayed would be published again."""
        return published


@dataclass
class RelayToConsumer:
    """Publishes the oldest left-behind rows to one consumer."""

    uow: UnitOfWork
    backlog: Backlog
    publish_committed: PublishCommitted
    clock: Clock

    async def __call__(self, event_type: str, buffer: ForConsumer) -> RelayResult:
        """After a failure, a later round publishes all of these rows again."""
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
