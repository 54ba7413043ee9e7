"""The adapters of one service over one database in memory."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from kernel.domain.acts import Act
from kernel.ports.outbox import Outbox, OutboxRow
from kernel.ports.parked import DiscardedMessages
from orders.domain.status import StatusChanged
from tests.assembly import InMemory, OrdersInMemory, PaymentsInMemory
from tests.memory.audit import MemoryAuditRuns
from tests.memory.database import MemoryDatabase
from tests.memory.facts import MemoryMessagingFacts
from tests.memory.figures import MemoryMessagingFigures
from tests.memory.operations import MemoryHeldCauses, MemoryOperations, MemoryParkedReading
from tests.memory.operator_record import OPERATOR_RECORD, MemoryRecordedActs
from tests.memory.orders import ORDER_HISTORY
from tests.memory.outbox import MemoryOutbox
from tests.memory.parked import DISCARDED, PARKED, MemoryDiscardedMessages
from tests.memory.pauses import MemoryPauses, MemoryStandingReading
from tests.memory.payments import MemoryClaims, MemoryStatements
from tests.memory.series import MemoryMeasuredOrders, MemorySeries
from tests.ports.worlds import DiscardedRow, Noted, ParkedRow, WorldBase, columns, encode


class MemoryWorld(OrdersInMemory, PaymentsInMemory, WorldBase):
    # Each of these is called with a unit of work.
    held = MemoryHeldCauses
    operations = MemoryOperations
    pauses = MemoryPauses
    audit_runs = MemoryAuditRuns
    series = MemorySeries

    def __init__(self) -> None:
        WorldBase.__init__(self)
        InMemory.__init__(self, MemoryDatabase(), self.clock)
        database = self.database
        self.reading = partial(MemoryParkedReading, database)
        self.recorded_acts = partial(MemoryRecordedActs, database)
        self.figures = partial(MemoryMessagingFigures, database)
        self.claims = partial(MemoryClaims, database)
        self.measured = partial(MemoryMeasuredOrders, database)
        self.statements = partial(MemoryStatements, database)
        self.messaging_facts = partial(MemoryMessagingFacts, database, "orders")
        self.standing = partial(MemoryStandingReading, database)

    async def blocked(self, *tasks: asyncio.Task[Any]) -> None:
        for _ in range(10):
            await asyncio.sleep(0)
        assert not any(task.done() for task in tasks)
        assert sum(len(lock.waiting) for lock in self.database.locks.values()) == len(tasks)

    def outbox(self, uow: Any, committed: Callable[[OutboxRow], None] = lambda _: None) -> Outbox[Noted]:
        return MemoryOutbox(uow, self.clock, encode, committed)

    async def parked_rows(self) -> list[ParkedRow]:
        rows = [
            ParkedRow(*columns(row), row.id, row.unhandled.dead_letter) for row in self.database.rows(PARKED)
        ]
        return sorted(rows, key=lambda row: (row.type, row.subject, row.reason))

    def discarded(self, uow: Any) -> DiscardedMessages:
        return MemoryDiscardedMessages(uow, self.clock)

    async def discarded_rows(self) -> list[DiscardedRow]:
        return [
            DiscardedRow(
                row.id, *columns(row.parked), row.at, row.by, row.note, row.parked.unhandled.dead_letter
            )
            for row in self.database.rows(DISCARDED)
        ]

    async def record_rows(self) -> list[Act]:
        rows = self.database.rows(OPERATOR_RECORD)
        return sorted(rows, key=lambda row: (row.user_id, row.subject, row.did))

    async def history_rows(self) -> list[StatusChanged]:
        rows = self.database.rows(ORDER_HISTORY)
        return sorted(rows, key=lambda row: (row.user_id, row.order_id, row.sequence))
