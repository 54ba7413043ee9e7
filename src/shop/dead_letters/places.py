"""Where messages wait for an operator: parked in the database of a service, or in its dead-letter queue."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Literal, Protocol, TypeVar
from uuid import UUID

from kernel.adapters.postgres.messages.inbox import PostgresInbox
from kernel.adapters.postgres.messages.outbox import PostgresOutbox
from kernel.adapters.postgres.messages.parked import PostgresDiscardedMessages, PostgresParkedMessages
from kernel.adapters.postgres.statements.unit_of_work import PostgresUnitOfWork
from kernel.adapters.rabbit.dead_letters import RabbitDeadLetters
from kernel.adapters.system_clock import SystemClock
from kernel.application.operate import DiscardParked, ReplayParked, encode_replayed
from kernel.application.replay_letters import AskForLetters, encode_letter
from kernel.domain.errors import Contention, Unavailable
from kernel.domain.events import Parked
from kernel.settings import required
from kernel.wiring.database import database
from shop.services import Shop

BATCH_MAX = 200

Name = Literal["parked", "dead letters"]
T = TypeVar("T")


class Place(Protocol):
    """All raise Unavailable where the database or the broker is away; what was done until then stays done."""

    service: str
    name: Name

    def messages(self) -> AsyncGenerator[Parked, None]: ...

    async def replay(self, ids: Collection[UUID]) -> int:
        """How many of them were there and go back to their consumer."""
        ...

    async def discard(self, ids: Collection[UUID], *, by: str, note: str) -> int:
        """How many of them were there and are recorded."""
        ...


class ParkedTable:
    name: Name = "parked"

    def __init__(self, service: str, uow: Callable[[], PostgresUnitOfWork]) -> None:
        self.service = service
        self._uow = uow
        self._clock = SystemClock()

    async def messages(self) -> AsyncGenerator[Parked, None]:
        page: Sequence[Parked] = ()
        while not page or len(page) == BATCH_MAX:
            page = await _once_more(partial(self._page, after=page[-1].id if page else None))
            if not page:
                return
            for parked in page:
                yield parked

    async def _page(self, after: UUID | None) -> Sequence[Parked]:
        async with (uow := self._uow()):
            return await PostgresParkedMessages(uow, self._clock).waiting(after=after, count_max=BATCH_MAX)

    async def replay(self, ids: Collection[UUID]) -> int:
        count = 0
        for batch in _batches(ids):
            uow = self._uow()
            act = ReplayParked(
                uow,
                PostgresParkedMessages(uow, self._clock),
                PostgresInbox(uow, self._clock),
                PostgresOutbox(uow, self._clock, encode_replayed, committed=lambda _: None),
            )
            count += await _once_more(partial(act, batch))
        return count

    async def discard(self, ids: Collection[UUID], *, by: str, note: str) -> int:
        count = 0
        for batch in _batches(ids):
            uow = self._uow()
            act = DiscardParked(
                uow, PostgresParkedMessages(uow, self._clock), PostgresDiscardedMessages(uow, self._clock)
            )
            count += await _once_more(partial(act, batch, by=by, note=note))
        return count


class DeadLetterQueue:
    name: Name = "dead letters"

    def __init__(
        self, service: str, uow: Callable[[], PostgresUnitOfWork], visit: Callable[[], RabbitDeadLetters]
    ) -> None:
        self.service = service
        self._uow = uow
        self._clock = SystemClock()
        self._visit = visit

    async def messages(self) -> AsyncGenerator[Parked, None]:
        async with self._visit() as queue:
            async for letter in queue.letters():
                yield letter.parked

    async def replay(self, ids: Collection[UUID]) -> int:
        """They stay in the queue until their consumer has handled them."""
        async with self._visit() as queue:
            found = [letter.parked.id async for letter in queue.letters() if letter.parked.id in ids]
        for batch in _batches(set(found)):
            uow = self._uow()
            outbox = PostgresOutbox(uow, self._clock, encode_letter, committed=lambda _: None)
            await _once_more(partial(AskForLetters(uow, outbox), batch))
        return len(found)

    async def discard(self, ids: Collection[UUID], *, by: str, note: str) -> int:
        """The record comes first: a crash in between leaves the letter, and the next time a second record."""
        count = 0
        async with self._visit() as queue:
            async for letter in queue.letters():
                if letter.parked.id in ids:
                    await self._record(letter.parked, by=by, note=note)
                    await queue.remove(letter)
                    count += 1
        return count

    async def _record(self, parked: Parked, *, by: str, note: str) -> None:
        async def record() -> None:
            async with (uow := self._uow()):
                await PostgresDiscardedMessages(uow, self._clock).add([parked], by=by, note=note)

        await _once_more(record)


@asynccontextmanager
async def open_places(shop: Shop, services: Sequence[str]) -> AsyncIterator[list[Place]]:
    """Raises SchemaMismatch, and Unavailable for a database. Without a broker there are no dead letters."""
    async with AsyncExitStack() as opened:
        places: list[Place] = []
        for service in services:
            url = required(shop.settings[service], "database_url")
            schema = shop.services[service].load_schema()
            engine = await opened.enter_async_context(database(url, schema))
            uow = partial(PostgresUnitOfWork, engine)
            places.append(ParkedTable(service, uow))
            if urls := shop.common.rabbitmq_url:
                visit = partial(RabbitDeadLetters, urls.split(","), service, shop.catalog)
                places.append(DeadLetterQueue(service, uow, visit))
        yield places


def _batches(ids: Collection[UUID]) -> Iterator[list[UUID]]:
    in_order = sorted(ids)
    for start in range(0, len(in_order), BATCH_MAX):
        yield in_order[start : start + BATCH_MAX]


async def _once_more(act: Callable[[], Awaitable[T]]) -> T:
    """Tries again once after Unavailable: the database may have moved to another host. Raises Unavailable."""
    try:
        try:
            return await act()
        except Unavailable:
            return await act()
    except Contention as error:
        raise Unavailable("the database is busy, try again") from error
