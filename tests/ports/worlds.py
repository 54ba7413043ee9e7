"""Where a suite runs: the adapters of one service over one database, in memory or in PostgreSQL."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.messages.inbox import PostgresInbox
from kernel.adapters.postgres.messages.outbox import PostgresBacklog, PostgresOutbox
from kernel.adapters.postgres.messages.parked import PostgresDiscardedMessages, PostgresParkedMessages
from kernel.adapters.postgres.statements.unit_of_work import PostgresUnitOfWork
from kernel.domain.events import Event, Parked
from kernel.domain.value import value
from kernel.ports.inbox import Inbox
from kernel.ports.outbox import Backlog, Outbox, OutboxRow
from kernel.ports.parked import DiscardedMessages, ParkedMessages
from kernel.ports.unit_of_work import UnitOfWork
from orders.adapters.outbound.postgres.orders import PostgresHistory, PostgresOrders
from orders.adapters.outbound.postgres.placed_orders import PostgresPlacedOrders
from orders.domain.status import Status, StatusChanged
from orders.ports.orders import History, Orders, PlacedOrders
from payments.adapters.outbound.postgres import (
    PostgresAccounts,
    PostgresLedger,
    PostgresOpenedAccounts,
    PostgresPayments,
    PostgresStatements,
)
from payments.ports.accounts import Accounts, Ledger, OpenedAccounts, Payments, Statements
from tests.assembly import InMemory, OrdersInMemory, PaymentsInMemory
from tests.memory.clock import MemoryClock
from tests.memory.database import MemoryDatabase
from tests.memory.orders import ORDER_HISTORY
from tests.memory.outbox import MemoryOutbox
from tests.memory.parked import DISCARDED, PARKED, MemoryDiscardedMessages
from tests.memory.payments import MemoryStatements

DEADLINE_S = 20.0

T = TypeVar("T")


async def ended(awaited: asyncio.Task[T]) -> T:
    async with asyncio.timeout(DEADLINE_S):
        return await awaited


class Undo(Exception):
    pass


@asynccontextmanager
async def undone(uow: UnitOfWork) -> AsyncIterator[UnitOfWork]:
    """The unit of work, which is rolled back at the end of the block."""
    with suppress(Undo):
        async with uow:
            yield uow
            raise Undo


@asynccontextmanager
async def failing(
    error: type[Exception] | tuple[type[Exception], ...], uow: UnitOfWork
) -> AsyncIterator[UnitOfWork]:
    """The unit of work, which raises the error at the end of the block at the latest."""
    with pytest.raises(error):
        async with uow:
            yield uow


@value(kw_only=True)
class Noted(Event):
    """An event for tests: its text is its encoded form."""

    subject_id: UUID
    type: str
    text: bytes

    @property
    def subject(self) -> UUID:
        return self.subject_id


def encode(event: Noted, event_id: UUID, at: datetime) -> tuple[str, bytes]:
    return event.type, event.text


@dataclass(frozen=True, slots=True)
class ParkedRow:
    type: str
    subject: str
    reason: str
    detail: str
    payload: bytes
    count: int
    first_parked_at: datetime
    last_parked_at: datetime
    id: UUID


@dataclass(frozen=True, slots=True)
class DiscardedRow:
    id: UUID
    type: str
    subject: str
    reason: str
    detail: str
    payload: bytes
    count: int
    first_parked_at: datetime
    last_parked_at: datetime
    discarded_at: datetime
    discarded_by: str
    note: str


class World(ABC):
    """Adapters are made anew for each unit of work, as wiring does it. Time is the test's in both worlds."""

    def __init__(self) -> None:
        self.clock = MemoryClock()
        self._started: list[asyncio.Task[Any]] = []

    def start(self, act: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Runs it beside the test, at most until the end of the test."""
        task = asyncio.create_task(act)
        self._started.append(task)
        return task

    async def close(self) -> None:
        for task in self._started:
            task.cancel()
        await asyncio.gather(*self._started, return_exceptions=True)

    @abstractmethod
    async def blocked(self, *tasks: asyncio.Task[Any]) -> None:
        """Returns once all of them, and nobody else, wait for another transaction."""

    @abstractmethod
    def uow(self) -> UnitOfWork: ...

    @abstractmethod
    def inbox(self, uow: Any) -> Inbox: ...

    @abstractmethod
    def outbox(self, uow: Any, committed: Callable[[OutboxRow], None] = lambda _: None) -> Outbox[Noted]: ...

    @abstractmethod
    def backlog(self, uow: Any) -> Backlog: ...

    @abstractmethod
    def parked(self, uow: Any) -> ParkedMessages: ...

    @abstractmethod
    async def parked_rows(self) -> list[ParkedRow]: ...

    @abstractmethod
    def discarded(self, uow: Any) -> DiscardedMessages: ...

    @abstractmethod
    async def discarded_rows(self) -> list[DiscardedRow]: ...

    @abstractmethod
    def orders(self, uow: Any) -> Orders: ...

    @abstractmethod
    def history(self, uow: Any) -> History: ...

    @abstractmethod
    async def history_rows(self) -> list[StatusChanged]:
        """In key order."""

    @abstractmethod
    def placed(self) -> PlacedOrders: ...

    @abstractmethod
    def accounts(self, uow: Any) -> Accounts: ...

    @abstractmethod
    def ledger(self, uow: Any) -> Ledger: ...

    @abstractmethod
    def statements(self) -> Statements: ...

    @abstractmethod
    def payments(self, uow: Any) -> Payments: ...

    @abstractmethod
    def opened(self) -> OpenedAccounts: ...


def columns(parked: Parked) -> tuple[str, str, str, str, bytes, int, datetime, datetime]:
    one = parked.unhandled
    times = (parked.first_parked_at, parked.last_parked_at)
    return (one.type, one.subject, one.reason, one.detail, one.payload, parked.count, *times)


class MemoryWorld(OrdersInMemory, PaymentsInMemory, World):
    def __init__(self) -> None:
        World.__init__(self)
        InMemory.__init__(self, MemoryDatabase(), self.clock)

    async def blocked(self, *tasks: asyncio.Task[Any]) -> None:
        for _ in range(10):
            await asyncio.sleep(0)
        assert not any(task.done() for task in tasks)
        assert sum(len(lock.waiting) for lock in self.database.locks.values()) == len(tasks)

    def outbox(self, uow: Any, committed: Callable[[OutboxRow], None] = lambda _: None) -> Outbox[Noted]:
        return MemoryOutbox(uow, self.clock, encode, committed)

    async def parked_rows(self) -> list[ParkedRow]:
        rows = [ParkedRow(*columns(row), row.id) for row in self.database.rows(PARKED)]
        return sorted(rows, key=lambda row: (row.type, row.subject, row.reason))

    def discarded(self, uow: Any) -> DiscardedMessages:
        return MemoryDiscardedMessages(uow, self.clock)

    async def discarded_rows(self) -> list[DiscardedRow]:
        return [
            DiscardedRow(row.id, *columns(row.parked), row.at, row.by, row.note)
            for row in self.database.rows(DISCARDED)
        ]

    async def history_rows(self) -> list[StatusChanged]:
        rows = self.database.rows(ORDER_HISTORY)
        return sorted(rows, key=lambda row: (row.user_id, row.order_id, row.sequence))

    def statements(self) -> Statements:
        return MemoryStatements(self.database)


class PostgresWorld(World):
    def __init__(self, engine: AsyncEngine, watcher: asyncpg.Connection) -> None:
        """`watcher` is a connection beside the engine's."""
        super().__init__()
        self.engine = engine
        self.watcher = watcher

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

    def orders(self, uow: Any) -> Orders:
        return PostgresOrders(uow)

    def history(self, uow: Any) -> History:
        return PostgresHistory(uow)

    async def history_rows(self) -> list[StatusChanged]:
        rows = await self.watcher.fetch("SELECT * FROM order_history ORDER BY user_id, order_id, sequence")
        return [StatusChanged(**{**row, "status": Status(row["status"])}) for row in rows]

    def placed(self) -> PlacedOrders:
        return PostgresPlacedOrders(self.engine)

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
