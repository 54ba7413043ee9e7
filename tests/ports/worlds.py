"""The two worlds of a suite: adapters of one service over one database, in memory or in PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar
from uuid import UUID

import pytest

from kernel.domain.events import Event, Parked
from kernel.domain.value import value
from kernel.ports.unit_of_work import UnitOfWork
from tests.memory.clock import MemoryClock

if TYPE_CHECKING:
    from tests.ports.memory_world import MemoryWorld
    from tests.ports.postgres_world import PostgresWorld

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


class WorldBase:
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


World: TypeAlias = "MemoryWorld | PostgresWorld"


def columns(parked: Parked) -> tuple[str, str, str, str, bytes, int, datetime, datetime]:
    one = parked.unhandled
    times = (parked.first_parked_at, parked.last_parked_at)
    return (one.type, one.subject, one.reason, one.detail, one.payload, parked.count, *times)
