"""A service with parked messages and an audit, which operators operate."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from kernel.adapters.in_process.bus import InProcessBroker, InProcessBus
from kernel.adapters.sources import under_its_type
from kernel.application.backoff import Backoff
from kernel.application.consume import Consumer, ParkMessage
from kernel.application.group_commit import GroupCommit
from kernel.application.housekeeping import Periodically
from kernel.application.intake import Intake
from kernel.application.operate import BeginOperation, HoldCause, OperateParked, ReleaseCause
from kernel.application.pause_consumer import OperateConsumer, PauseConsumer, ResumeConsumer
from kernel.application.poll import POLL_EVERY_S, PollOutbox
from kernel.application.read_parked import ReadParked
from kernel.application.relay_loop import Relay
from kernel.application.replay import LETTERS, REPLAYED, HandleLetters, HandleReplayed, encode_replayed
from kernel.application.work_off import WorkOff
from kernel.contracts.messaging import Catalog
from kernel.domain.caller import Caller, Role
from kernel.domain.errors import Conflict, ShopError, Unavailable
from kernel.domain.events import Received, Unhandled
from kernel.domain.faults import Checked
from kernel.domain.parked import OwnName
from kernel.serving import Background
from kernel.wiring.background import LOOK_EVERY_S, WORK_OFF_EVERY_S
from orders import wire
from orders.application.begin_audit import BeginAudits
from orders.application.read_audit import LatestAudit, ReadAudit
from orders.application.run_audit import BegunAudits, RunAudit
from orders.domain.audit_run import AuditRun, BeginAudit
from orders.domain.claims import Claim, KnownOrders, KnownPayments
from orders.domain.events import PaymentResult
from orders.domain.status import Status
from orders.domain.verdict import Ordered, Paid
from tests.memory.audit import MemoryAuditRuns, MemoryOrderClaims, MemoryOwnChecks, MemoryPaymentClaims
from tests.memory.clock import EPOCH
from tests.memory.database import MemoryDatabase, Table
from tests.memory.inbox import MemoryInbox
from tests.memory.operations import MemoryHeldCauses, MemoryOperations, MemoryParkedReading
from tests.memory.operator_record import MemoryOperatorRecord
from tests.memory.outbox import MemoryBacklog, MemoryOutbox
from tests.memory.parked import MemoryDiscardedMessages, MemoryParkedMessages
from tests.memory.pauses import MemoryPauses, MemoryStandingReading
from tests.memory.unit_of_work import MemoryUnitOfWork
from tests.simulation.loop import SimClock
from tests.simulation.process import Port, Process, SimUnitOfWork

SERVICE = OwnName("orders")
ADA = Caller(Role.OPERATOR, "ada", "gateway")


@dataclass(frozen=True, slots=True)
class Handled:
    number: UUID
    message: str


# The table has no key of the message, so a message that is handled twice leaves two rows.
HANDLED = Table[Handled]({"number": lambda handled: handled.number})


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatedParts:
    """A planted bug puts another part in the place of one of these."""

    record: Callable[..., Any] = MemoryOperatorRecord
    runs: Callable[..., Any] = MemoryAuditRuns


def claims_of_two() -> tuple[MemoryOrderClaims, MemoryPaymentClaims]:
    """The claims of two orders, one of which was never paid."""
    long_ago = EPOCH - timedelta(days=1)
    order = Ordered(
        amount=500,
        currency="RUB",
        status=Status.FINISHED,
        reason=None,
        created_at=long_ago,
        updated_at=long_ago,
    )
    paid = Paid(
        decision="captured", reason=None, created_at=long_ago, amount=500, currency="RUB", refunded_at=None
    )
    keys = [("alice", UUID(int=number)) for number in (1, 2)]
    claims = [Claim(*key, "captured 500 RUB") for key in keys]
    orders = MemoryOrderClaims(claims, KnownOrders(dict.fromkeys(keys, order), (), EPOCH))
    return orders, MemoryPaymentClaims(claims[:1], KnownPayments({keys[0]: paid}, ()))


class OperatedService:
    """One process of a service whose consumer stores each message that it handles."""

    def __init__(
        self,
        database: MemoryDatabase,
        process: Process,
        clock: SimClock,
        parts: OperatedParts,
        committed: Callable[[], None],
    ) -> None:
        self._database = database
        self._parts = parts
        self._committed = committed
        self._process = process
        self._clock = clock
        self._consumer = Consumer(wire.decode, self._handle, self._park, clock)
        self._audits = BegunAudits(self._run_audit)
        self._begin = GroupCommit(self._begin_audits, clock, batch_size_max=1)
        reading = Port(process, "reading", MemoryParkedReading(database))
        self.read = ReadParked(reading, SERVICE)
        self._standing: Any = Port(process, "reading", MemoryStandingReading(database, SERVICE))
        self._intake = Intake(InProcessBus(InProcessBroker(Catalog(())), SERVICE), self._standing)

    def _uow(self) -> SimUnitOfWork:
        return SimUnitOfWork(self._database, self._process, self._committed)

    def _port(self, name: str, adapter: Any, uow: MemoryUnitOfWork) -> Any:
        return Port(self._process, name, adapter, uow)

    def _inbox(self, uow: SimUnitOfWork) -> Any:
        return self._port("inbox", MemoryInbox(uow, self._clock), uow)

    def _parked(self, uow: SimUnitOfWork) -> Any:
        return self._port("parked", MemoryParkedMessages(uow, self._clock), uow)

    def _operations(self, uow: SimUnitOfWork) -> Any:
        return self._port("operations", MemoryOperations(uow), uow)

    async def _handle(self, received: Sequence[Received[PaymentResult]]) -> Sequence[Unhandled]:
        async with (uow := self._uow()):
            for item in await self._inbox(uow).claim(received):
                await uow.transaction.insert(HANDLED, Handled(self._clock.new_id(), item.message.id))
        return []

    async def _park(self, unhandled: Unhandled) -> None:
        uow = self._uow()
        await ParkMessage(uow, self._inbox(uow), self._parked(uow))(unhandled)

    @property
    def operate(self) -> OperateParked:
        uow, clock = self._uow(), self._clock
        record = self._port("record", self._parts.record(uow), uow)
        held = self._port("held", MemoryHeldCauses(uow), uow)
        return OperateParked(
            self.read,
            BeginOperation(uow, self._operations(uow), record),
            HoldCause(uow, held, record),
            ReleaseCause(uow, held, record),
            clock,
        )

    @property
    def consumer(self) -> OperateConsumer:
        uow = self._uow()
        pauses = self._port("pauses", MemoryPauses(uow, SERVICE), uow)
        parts = uow, pauses, self._port("record", self._parts.record(uow), uow), self._clock
        pause, resume = PauseConsumer(*parts), ResumeConsumer(*parts)
        return OperateConsumer(self._standing, SERVICE, pause, resume, self._clock)

    @property
    def read_audit(self) -> ReadAudit:
        uow = self._uow()
        return ReadAudit(LatestAudit(uow, self._runs(uow)), self._clock)

    async def begin_audit(self) -> AuditRun | None:
        """Begins an audit run, and returns it. Returns None if a run is going on."""
        try:
            return await self._begin(BeginAudit(run_id=self._clock.new_id(), caller=ADA))
        except Conflict:
            return None

    async def _begin_audits(self, commands: Sequence[BeginAudit]) -> list[AuditRun | ShopError]:
        uow = self._uow()
        record = self._port("record", self._parts.record(uow), uow)
        return await BeginAudits(uow, self._runs(uow), record, self._audits.start, self._clock)(commands)

    async def _run_audit(self, run: AuditRun) -> None:
        uow, claims = self._uow(), claims_of_two()
        own = Port(self._process, "own", MemoryOwnChecks([Checked("histories", 2)]))
        orders, payments = (
            Port(self._process, name, one) for name, one in zip(("claims", "decided"), claims, strict=True)
        )
        audit: Any = (uow, self._runs(uow), own, orders, payments, self._clock)
        await RunAudit(*audit)(run)

    def _runs(self, uow: SimUnitOfWork) -> Any:
        return self._port("runs", self._parts.runs(uow), uow)

    async def run(self) -> None:
        """Handles messages unless the consumer is paused, which it checks first, as a real service does."""
        backoff = Backoff(self._clock)
        while True:
            try:
                await self._intake.look()
                break
            except Unavailable:
                await backoff.wait()
        for job in self._jobs():
            self._process.spawn(job.run())

    def _jobs(self) -> list[Background]:
        acts = {REPLAYED: self._replayed, LETTERS: self._letters}
        polled = {name: [Relay(self._intake.unless_paused(act), self._clock)] for name, act in acts.items()}
        return [
            Periodically(self._work_off, WORK_OFF_EVERY_S, self._clock),
            Periodically(self._look, LOOK_EVERY_S, self._clock),
            self._audits,
            Periodically(partial(self._poll, polled), POLL_EVERY_S, self._clock),
            *(relay for relays in polled.values() for relay in relays),
        ]

    async def _poll(self, relays: Mapping[str, Sequence[Relay]]) -> bool:
        uow = self._uow()
        return await PollOutbox(uow, self._port("backlog", MemoryBacklog(uow), uow))(relays)

    async def _look(self) -> bool:
        await self._intake.look()
        return False

    async def _work_off(self) -> bool:
        uow, clock = self._uow(), self._clock
        discarded = self._port("discarded", MemoryDiscardedMessages(uow, clock), uow)
        outbox = MemoryOutbox(uow, clock, encode_replayed, lambda _: None)
        return await WorkOff(
            uow,
            self._operations(uow),
            self._parked(uow),
            discarded,
            self._inbox(uow),
            self._port("outbox", outbox, uow),
            clock,
        )()

    async def _replayed(self) -> Any:
        uow = self._uow()
        return await HandleReplayed(uow, self._port("backlog", MemoryBacklog(uow), uow))(self._consumer)

    async def _letters(self) -> Any:
        uow = self._uow()
        backlog = self._port("backlog", MemoryBacklog(uow), uow)
        return await HandleLetters(uow, backlog, self._parked(uow), self._clock)(
            under_its_type(self._consumer)
        )
