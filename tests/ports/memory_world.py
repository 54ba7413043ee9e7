"""The adapters of one service over one database in memory."""

import asyncio
from collections.abc import Callable
from typing import Any

from kernel.domain.acts import Act
from kernel.domain.parked import OwnName
from kernel.ports.facts import MessagingFacts
from kernel.ports.figures import MessagingFigures
from kernel.ports.operator_record import RecordedActs
from kernel.ports.outbox import Outbox, OutboxRow
from kernel.ports.parked import DiscardedMessages, HeldCauses, Operations, ParkedReading
from kernel.ports.pauses import Pauses, StandingReading
from orders.domain.status import StatusChanged
from orders.ports.audit import AuditRuns
from orders.ports.series import MeasuredOrders, Series
from payments.ports.accounts import Statements
from payments.ports.claims import Claims
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
    def __init__(self) -> None:
        WorldBase.__init__(self)
        InMemory.__init__(self, MemoryDatabase(), self.clock)

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

    def held(self, uow: Any) -> HeldCauses:
        return MemoryHeldCauses(uow)

    def operations(self, uow: Any) -> Operations:
        return MemoryOperations(uow)

    def reading(self) -> ParkedReading:
        return MemoryParkedReading(self.database)

    def messaging_facts(self) -> MessagingFacts:
        return MemoryMessagingFacts(self.database, "orders")

    def pauses(self, uow: Any, consumer: OwnName) -> Pauses:
        return MemoryPauses(uow, consumer)

    def standing(self, consumer: OwnName) -> StandingReading:
        return MemoryStandingReading(self.database, consumer)

    def recorded_acts(self) -> RecordedActs:
        return MemoryRecordedActs(self.database)

    def figures(self) -> MessagingFigures:
        return MemoryMessagingFigures(self.database)

    async def record_rows(self) -> list[Act]:
        rows = self.database.rows(OPERATOR_RECORD)
        return sorted(rows, key=lambda row: (row.user_id, row.subject, row.did))

    async def history_rows(self) -> list[StatusChanged]:
        rows = self.database.rows(ORDER_HISTORY)
        return sorted(rows, key=lambda row: (row.user_id, row.order_id, row.sequence))

    def audit_runs(self, uow: Any) -> AuditRuns:
        return MemoryAuditRuns(uow)

    def claims(self) -> Claims:
        return MemoryClaims(self.database)

    def measured(self) -> MeasuredOrders:
        return MemoryMeasuredOrders(self.database)

    def series(self, uow: Any) -> Series:
        return MemorySeries(uow)

    def statements(self) -> Statements:
        return MemoryStatements(self.database)
