"""A request to replay dead letters is gone before the first one is handed over, a letter is not."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import UUID

import pytest

from kernel.application.replay_letters import AskForLetters, HandleLetters, encode_letter
from kernel.domain.errors import Unavailable
from kernel.ports.bus import Bus, DeadLetters, Handler
from tests.memory.database import MemoryDatabase
from tests.memory.outbox import OUTBOX, MemoryBacklog, MemoryOutbox
from tests.memory.unit_of_work import MemoryUnitOfWork
from tests.unit.clock import RecordingClock, id_of


class Killed(BaseException):
    """As by kill -9."""


class QueueOfLetters:
    """The part of a bus that has dead letters; notes which were handed over, and how many requests waited."""

    def __init__(self, database: MemoryDatabase) -> None:
        self.is_away = False
        self.kills = False
        self.visits = 0
        self.handed_over: list[tuple[set[UUID], int]] = []
        self._database = database

    @asynccontextmanager
    async def dead_letters(self) -> AsyncIterator[DeadLetters]:
        self.visits += 1
        if self.is_away:
            raise Unavailable("rabbitmq is away")
        yield self

    async def hand_over(self, ids: Collection[UUID], handle: Handler) -> None:
        self.handed_over.append((set(ids), len(self._database.rows(OUTBOX))))
        if self.kills:
            raise Killed


class World:
    def __init__(self) -> None:
        self.database = MemoryDatabase()
        self.clock = RecordingClock()
        self.queue = QueueOfLetters(self.database)

    async def ask(self, *numbers: int) -> None:
        uow = MemoryUnitOfWork(self.database)
        outbox = MemoryOutbox[UUID](uow, self.clock, encode_letter, lambda _: None)
        await AskForLetters(uow, outbox)([id_of(number) for number in numbers])

    async def work(self) -> int:
        uow = MemoryUnitOfWork(self.database)
        handle = HandleLetters(uow, MemoryBacklog(uow), cast(Bus, self.queue))
        return (await handle(cast(Any, None))).events

    @property
    def waiting(self) -> int:
        return sum(row.count for row in self.database.rows(OUTBOX))


async def test_letters_that_operators_asked_for_are_handed_over_together() -> None:
    world = World()
    await world.ask(1, 2)
    await world.ask(3)
    assert await world.work() == 3
    assert world.queue.handed_over == [({id_of(1), id_of(2), id_of(3)}, 0)]
    assert await world.work() == 0


async def test_without_a_request_nobody_looks_at_the_queue() -> None:
    world = World()
    assert await world.work() == 0
    assert world.queue.visits == 0


async def test_a_request_waits_while_the_broker_is_away() -> None:
    world = World()
    await world.ask(1)
    world.queue.is_away = True
    with pytest.raises(Unavailable):
        await world.work()
    assert world.waiting == 1
    world.queue.is_away = False
    assert await world.work() == 1


async def test_a_letter_that_ends_the_process_does_so_once_for_each_request() -> None:
    world = World()
    await world.ask(1)
    world.queue.kills = True
    with pytest.raises(Killed):
        await world.work()
    assert world.waiting == 0
    assert await world.work() == 0
    assert len(world.queue.handed_over) == 1
