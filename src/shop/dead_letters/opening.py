"""The use cases for parked messages, run by the console on the databases of the services."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import UUID

from kernel.adapters.lanes.messages import InEachLane, ParkedReadingOfLanes
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
from kernel.lane_servers import lane_servers
from kernel.wiring.database import CONSOLE, databases
from kernel.wiring.lanes import over_all
from shop.services import Shop

POLL_S = 0.1
FAILURES_MAX = 10


class Operated:
    """The use cases of one service, over all of its lanes."""

    def __init__(self, service: str, engines: Sequence[Any]) -> None:
        self.service = service
        reading = over_all(list(map(PostgresParkedReading, engines)), ParkedReadingOfLanes)
        self.read = ReadParked(reading, OwnName(service))
        # Calls are made one at a time, so the use cases of a lane can share a unit of work.
        self._clock = clock = SystemClock()
        self._jobs, begin, hold, release = list[WorkOff](), [], [], []
        for uow in map(PostgresUnitOfWork, engines):
            operations, record = PostgresOperations(uow), PostgresOperatorRecord(uow)
            held = PostgresHeldCauses(uow)
            begin.append(BeginOperation(uow, operations, record))
            hold.append(HoldCause(uow, held, record))
            release.append(ReleaseCause(uow, held, record))
            parked, discarded = PostgresParkedMessages(uow, clock), PostgresDiscardedMessages(uow, clock)
            inbox = PostgresInbox(uow, clock)
            outbox = PostgresOutbox(uow, clock, encode_replayed, committed=lambda _: None)
            self._jobs.append(WorkOff(uow, operations, parked, discarded, inbox, outbox, clock))
        acts = InEachLane(begin), InEachLane(hold), InEachLane(release)
        self.operate = OperateParked(self.read, *acts, clock)

    async def finish(self, caller: Caller, id: UUID) -> Operation:
        """Works off the operation, and older ones before it, unless the service does so. Returns it once it
        has ended. Raises Unavailable; the service, or the next command, then goes on with it."""
        backoff, failures = Backoff(self._clock), 0
        while True:
            operation = await self.read.operation(caller, id)
            if operation.ended_at is not None:
                return operation
            try:
                if not any([await work_off() for work_off in self._jobs]):
                    await self._clock.sleep(POLL_S)  # The service works at it.
                failures = 0
            except (Contention, Unavailable) as error:
                failures += 1
                if failures > FAILURES_MAX:
                    raise Unavailable(f"the {self.service} database is away or busy: {error}") from error
                await backoff.wait()


@asynccontextmanager
async def open_services(shop: Shop, services: Sequence[str]) -> AsyncIterator[list[Operated]]:
    """Raises SchemaMismatch, and Unavailable for a database."""
    async with AsyncExitStack() as opened:
        found = []
        for service in services:
            servers, schema = lane_servers(shop.settings[service]), shop.services[service].load_schema()
            engines = await opened.enter_async_context(databases(servers, schema, CONSOLE))
            found.append(Operated(service, engines))
        yield found
