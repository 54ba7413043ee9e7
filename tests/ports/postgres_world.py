"""The adapters of one service over one database in PostgreSQL."""

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.messages.facts import PostgresMessagingFacts
from kernel.adapters.postgres.messages.inbox import PostgresInbox
from kernel.adapters.postgres.messages.operations import PostgresHeldCauses, PostgresOperations
from kernel.adapters.postgres.messages.outbox import PostgresBacklog, PostgresOutbox
from kernel.adapters.postgres.messages.parked import PostgresDiscardedMessages, PostgresParkedMessages
from kernel.adapters.postgres.messages.pauses import PostgresPauses, PostgresStandingReading
from kernel.adapters.postgres.messages.reading import PostgresParkedReading
from kernel.adapters.postgres.operator_record import PostgresOperatorRecord, PostgresRecordedActs
from kernel.adapters.postgres.overview import PostgresMessagingFigures
from kernel.adapters.postgres.statements.unit_of_work import PostgresUnitOfWork
from kernel.domain.acts import Act
from kernel.domain.parked import OwnName
from kernel.ports.facts import MessagingFacts
from kernel.ports.figures import MessagingFigures
from kernel.ports.inbox import Inbox
from kernel.ports.operator_record import OperatorRecord, RecordedActs
from kernel.ports.outbox import Backlog, Outbox, OutboxRow
from kernel.ports.parked import DiscardedMessages, HeldCauses, Operations, ParkedMessages, ParkedReading
from kernel.ports.pauses import Pauses, StandingReading
from orders.adapters.outbound.postgres.audit_runs import PostgresAuditRuns
from orders.adapters.outbound.postgres.orders import PostgresHistory, PostgresOrders
from orders.adapters.outbound.postgres.placed_orders import PostgresPlacedOrders
from orders.adapters.outbound.postgres.series import PostgresMeasuredOrders, PostgresSeries
from orders.adapters.outbound.tables import SCHEMA
from orders.domain.status import Status, StatusChanged
from orders.ports.audit import AuditRuns
from orders.ports.orders import History, Orders, PlacedOrders
from orders.ports.series import MeasuredOrders, Series
from payments.adapters.outbound.claims import PostgresClaims
from payments.adapters.outbound.postgres import (
    PostgresAccounts,
    PostgresLedger,
    PostgresOpenedAccounts,
    PostgresPayments,
)
from payments.adapters.outbound.postgres_statements import PostgresStatements
from payments.ports.accounts import Accounts, Ledger, OpenedAccounts, Payments, Statements
from payments.ports.claims import Claims
from tests.ports.worlds import DEADLINE_S, DiscardedRow, Noted, ParkedRow, WorldBase, encode


class PostgresWorld(WorldBase):
    def __init__(self, engine: AsyncEngine, watcher: asyncpg.Connection, url: str) -> None:
        """`watcher` is a connection beside the engine's."""
        super().__init__()
        self.engine = engine
        self.watcher = watcher
        self.url = url

    async def clear(self) -> None:
        """Deletes every row, in a tenth of TRUNCATE's time. A replica fires no triggers for append-only."""
        deletions = await self.watcher.fetchval(
            "SELECT string_agg('DELETE FROM ' || tablename, ';') FROM pg_tables"
            " WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
        )
        await self.watcher.execute(
            f"BEGIN; SET LOCAL session_replication_role = replica; {deletions}; COMMIT"
        )

    async def blocked(self, *tasks: asyncio.Task[Any]) -> None:
        waiting = (
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        async with asyncio.timeout(DEADLINE_S):
            while await self.watcher.fetchval(waiting) < len(tasks):
                assert not any(task.done() for task in tasks)
                await asyncio.sleep(0.005)
        assert not any(task.done() for task in tasks)

    def uow(self) -> PostgresUnitOfWork:
        return PostgresUnitOfWork(self.engine)

    def inbox(self, uow: Any) -> Inbox:
        return PostgresInbox(uow, self.clock)

    def outbox(self, uow: Any, committed: Callable[[OutboxRow], None] = lambda _: None) -> Outbox[Noted]:
        return PostgresOutbox(uow, self.clock, encode, committed)

    def backlog(self, uow: Any) -> Backlog:
        return PostgresBacklog(uow)

    def parked(self, uow: Any) -> ParkedMessages:
        return PostgresParkedMessages(uow, self.clock)

    async def parked_rows(self) -> list[ParkedRow]:
        rows = await self.watcher.fetch("SELECT * FROM parked_messages ORDER BY type, subject, reason")
        return [ParkedRow(**row) for row in rows]

    def discarded(self, uow: Any) -> DiscardedMessages:
        return PostgresDiscardedMessages(uow, self.clock)

    async def discarded_rows(self) -> list[DiscardedRow]:
        rows = await self.watcher.fetch("SELECT * FROM discarded_messages ORDER BY id")
        return [DiscardedRow(**row) for row in rows]

    def held(self, uow: Any) -> HeldCauses:
        return PostgresHeldCauses(uow)

    def operations(self, uow: Any) -> Operations:
        return PostgresOperations(uow)

    def reading(self) -> ParkedReading:
        return PostgresParkedReading(self.engine)

    def pauses(self, uow: Any, consumer: OwnName) -> Pauses:
        return PostgresPauses(uow, consumer)

    def standing(self, consumer: OwnName) -> StandingReading:
        return PostgresStandingReading(self.engine, consumer)

    def record(self, uow: Any) -> OperatorRecord:
        return PostgresOperatorRecord(uow)

    def messaging_facts(self) -> MessagingFacts:
        return PostgresMessagingFacts(self.engine, SCHEMA)

    def recorded_acts(self) -> RecordedActs:
        return PostgresRecordedActs(self.engine)

    def figures(self) -> MessagingFigures:
        return PostgresMessagingFigures(self.engine)

    async def record_rows(self) -> list[Act]:
        rows = await self.watcher.fetch("SELECT * FROM operator_record ORDER BY user_id, subject, did")
        return [Act(**row) for row in rows]

    def orders(self, uow: Any) -> Orders:
        return PostgresOrders(uow)

    def history(self, uow: Any) -> History:
        return PostgresHistory(uow)

    async def history_rows(self) -> list[StatusChanged]:
        rows = await self.watcher.fetch("SELECT * FROM order_history ORDER BY user_id, order_id, sequence")
        return [StatusChanged(**{**row, "status": Status(row["status"])}) for row in rows]

    def placed(self) -> PlacedOrders:
        return PostgresPlacedOrders(self.engine)

    def audit_runs(self, uow: Any) -> AuditRuns:
        return PostgresAuditRuns(uow)

    def claims(self) -> Claims:
        return PostgresClaims(self.url)

    def measured(self) -> MeasuredOrders:
        return PostgresMeasuredOrders(self.engine)

    def series(self, uow: Any) -> Series:
        return PostgresSeries(uow)

    def accounts(self, uow: Any) -> Accounts:
        return PostgresAccounts(uow)

    def ledger(self, uow: Any) -> Ledger:
        return PostgresLedger(uow)

    def statements(self) -> Statements:
        return PostgresStatements(self.engine)

    def payments(self, uow: Any) -> Payments:
        return PostgresPayments(uow)

    def opened(self) -> OpenedAccounts:
        return PostgresOpenedAccounts(self.engine)
