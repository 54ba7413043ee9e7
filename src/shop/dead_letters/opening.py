"""The services whose messages wait, as an operator at a console acts on them: on their databases."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from uuid import UUID

from kernel.adapters.postgres.messages.inbox import PostgresInbox
from kernel.adapters.postgres.messages.operations import PostgresHeldCauses, PostgresOperations
from kernel.adapters.postgres.messages.outbox import PostgresOutbox
from kernel.adapters.postgres.messages.parked import PostgresDiscardedMessages, PostgresParkedMessages
from kernel.adapters.postgres.messages.reading import PostgresParkedReading
from kernel.adapters.postgres.operator_record import PostgresOperatorRecord
from kernel.adapters.postgres.statements.unit_of_work import PostgresUnitOfWork
from kernel.adapters.system_clock import SystemClock
from kernel.application.backoff import Backoff
from kernel.application.operate import BeginOperation, HoldCause, OperateParked, ReleaseCause
from kernel.application.read_parked import ReadParked
from kernel.application.replay import encode_replayed
from kernel.application.work_off import WorkOff
from kernel.domain.caller import Caller
from kernel.domain.errors import Contention, Unavailable
from kernel.domain.parked import Operation, OwnName
from kernel.ports.parked import ParkedReading
from kernel.settings import required
from kernel.wiring.database import CONSOLE, database
from shop.services import Shop

POLL_S = 0.1
FAILURES_MAX = 10


class Operated:
    """One service."""

    def __init__(
        self, service: str, reading: ParkedReading, new_uow: Callable[[], PostgresUnitOfWork]
    ) -> None:
        self.service = service
        self._new_uow = new_uow
        self.read = ReadParked(reading, OwnName(service))
        # One call at a time is made here, so they can share a unit of work.
        uow, clock = new_uow(), SystemClock()
        self._clock = clock
        record, held = PostgresOperatorRecord(uow), PostgresHeldCauses(uow)
        begin = BeginOperation(uow, PostgresOperations(uow), record, clock)
        hold, release = HoldCause(uow, held, record, clock), ReleaseCause(uow, held, record, clock)
        self.operate = OperateParked(self.read, begin, hold, release, clock)

    async def finish(self, caller: Caller, id: UUID) -> Operation:
        """Waits for the end of the operation. Works it off, and those that wait before it, unless the service
        does so first. Raises Unavailable; the service, or the next command, then goes on with it."""
        work_off, backoff, failures = self._work_off(), Backoff(self._clock), 0
        while True:
            operation = await self.read.operation(caller, id)
            if operation.ended_at is not None:
                return operation
            try:
                if not await work_off():
                    await self._clock.sleep(POLL_S)  # The service has it in hand.
                failures = 0
            except (Contention, Unavailable) as error:
                failures += 1
                if failures > FAILURES_MAX:
                    raise Unavailable(f"the {self.service} database is away or busy: {error}") from error
                await backoff.wait()

    def _work_off(self) -> Callable[[], Awaitable[bool]]:
        uow, clock = self._new_uow(), self._clock
        return WorkOff(
            uow,
            PostgresOperations(uow),
            PostgresParkedMessages(uow, clock),
            PostgresDiscardedMessages(uow, clock),
            PostgresInbox(uow, clock),
            PostgresOutbox(uow, clock, encode_replayed, committed=lambda _: None),
            clock,
        )


@asynccontextmanager
async def open_services(shop: Shop, services: Sequence[str]) -> AsyncIterator[list[Operated]]:
    """Raises SchemaMismatch, and Unavailable for a database."""
    async with AsyncExitStack() as opened:
        found = []
        for service in services:
            url = required(shop.settings[service], "database_url")
            schema = shop.services[service].load_schema()
            engine = await opened.enter_async_context(database(url, schema, CONSOLE))
            reading, new_uow = PostgresParkedReading(engine), partial(PostgresUnitOfWork, engine)
            found.append(Operated(service, reading, new_uow))
        yield found
