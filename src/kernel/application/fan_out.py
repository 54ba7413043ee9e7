"""Relays for each consumer of a type, where the bus has no queue for each: one that fails delays no other.

A row leaves the outbox once every consumer has it. Until then it stays there; only its id is kept here, for
those who have it. After a restart all are offered it again, and their inboxes make that harmless.
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
    """What one consumer has yet to get, and which rows it has while others lack them.

    Only the oldest KNOWN_ROWS_MAX are kept: the others catch up with the oldest first. Until they do,
    this consumer still gets what is committed here, but nothing else that is newer than these.
    """

    def __init__(self, consumer: str) -> None:
        super().__init__()
        self.to = consumer
        self._all: Sequence[Self] = ()
        # Whether the consumer has the row, or is about to get it.
        self._has: dict[UUID, bool] = {}

    @classmethod
    def each(cls, consumers: Sequence[str]) -> Sequence[Self]:
        """Of the same type."""
        every = [cls(consumer) for consumer in consumers]
        for one in every:
            one._all = every
        return every

    @property
    def known(self) -> Collection[UUID]:
        return self._has.keys()

    def limit(self, before: datetime) -> datetime:
        """Until when rows may have been kept that are offered to this consumer."""
        if len(self._has) < KNOWN_ROWS_MAX:
            return before
        return min(before, made_at(max(self._has)))

    def add(self, row: OutboxRow) -> None:
        if len(self._rows) < BUFFER_ROWS_MAX and len(self._has) < KNOWN_ROWS_MAX:
            self._has[row.id] = False
        super().add(row)

    def claim(self, found: Sequence[OutboxRow]) -> list[OutboxRow]:
        """Those of the rows that nobody here is about to publish to this consumer."""
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
        """At once: nobody here knows these rows any more, so they would be offered again."""
        return published


@dataclass
class RelayToConsumer:
    """Publishes to one consumer the oldest of what was left behind for it."""

    uow: UnitOfWork
    backlog: Backlog
    publish_committed: PublishCommitted
    clock: Clock

    async def __call__(self, event_type: str, buffer: ForConsumer) -> RelayResult:
        """What left the outbox. Any failure leaves all of it behind once more."""
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
