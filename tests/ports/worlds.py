"""Where a suite runs: the adapters of one service over one database, in memory or in PostgreSQL."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import pytest

from kernel.domain.acts import Act
from kernel.domain.events import Event, Parked
from kernel.domain.parked import OwnName
from kernel.domain.value import value
from kernel.ports.facts import MessagingFacts
from kernel.ports.figures import MessagingFigures
from kernel.ports.inbox import Inbox
from kernel.ports.operator_record import OperatorRecord, RecordedActs
from kernel.ports.outbox import Backlog, Outbox, OutboxRow
from kernel.ports.parked import DiscardedMessages, HeldCauses, Operations, ParkedMessages, ParkedReading
from kernel.ports.pauses import Pauses, StandingReading
from kernel.ports.unit_of_work import UnitOfWork
from orders.domain.status import StatusChanged
from orders.ports.audit import AuditRuns
from orders.ports.orders import History, Orders, PlacedOrders
from orders.ports.series import MeasuredOrders, Series
from payments.ports.accounts import Accounts, Ledger, OpenedAccounts, Payments, Statements
from payments.ports.claims import Claims
from tests.memory.clock import MemoryClock

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
    dead_letter: bool


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
    dead_letter: bool


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
    def held(self, uow: Any) -> HeldCauses: ...

    @abstractmethod
    def operations(self, uow: Any) -> Operations: ...

    @abstractmethod
    def reading(self) -> ParkedReading: ...

    @abstractmethod
    def pauses(self, uow: Any, consumer: OwnName) -> Pauses: ...

    @abstractmethod
    def standing(self, consumer: OwnName) -> StandingReading: ...

    @abstractmethod
    def record(self, uow: Any) -> OperatorRecord: ...

    @abstractmethod
    def messaging_facts(self) -> MessagingFacts: ...

    @abstractmethod
    def recorded_acts(self) -> RecordedActs: ...

    @abstractmethod
    def figures(self) -> MessagingFigures: ...

    @abstractmethod
    async def record_rows(self) -> list[Act]:
        """In key order."""

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
    def audit_runs(self, uow: Any) -> AuditRuns: ...

    @abstractmethod
    def claims(self) -> Claims: ...

    @abstractmethod
    def measured(self) -> MeasuredOrders: ...

    @abstractmethod
    def series(self, uow: Any) -> Series: ...

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
