"""A service with parked messages, whose operators act while its process and its database fail."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from kernel.adapters.cloudevents import unhandled_letter
from kernel.adapters.in_process.bus import InProcessBroker, InProcessBus
from kernel.adapters.sources import under_its_type
from kernel.application.backoff import Backoff
from kernel.application.consume import Consumer, ParkMessage
from kernel.application.housekeeping import Periodically
from kernel.application.intake import Intake
from kernel.application.operate import BeginOperation, HoldCause, OperateParked, ReleaseCause
from kernel.application.pause_consumer import OperateConsumer, PauseConsumer, ResumeConsumer
from kernel.application.read_parked import ReadParked
from kernel.application.relay import Relay
from kernel.application.replay import HandleLetters, HandleReplayed, encode_replayed
from kernel.application.work_off import WorkOff
from kernel.contracts.messaging import Catalog
from kernel.domain.caller import Caller, Role
from kernel.domain.errors import NotFound, OutcomeUnknown, Unavailable
from kernel.domain.events import Received, Unhandled
from kernel.domain.parked import Group, Kind, OwnName
from kernel.ports.bus import DeadLetter
from kernel.serving import Background
from kernel.wiring.background import LOOK_EVERY_S, WORK_OFF_EVERY_S
from orders import wire
from orders.domain.events import PaymentResult
from tests.memory.database import MemoryDatabase, Table
from tests.memory.inbox import MemoryInbox
from tests.memory.operations import OPERATIONS, MemoryHeldCauses, MemoryOperations, MemoryParkedReading
from tests.memory.operator_record import MemoryOperatorRecord
from tests.memory.outbox import OUTBOX, MemoryBacklog, MemoryOutbox
from tests.memory.parked import MemoryDiscardedMessages, MemoryParkedMessages
from tests.memory.pauses import MemoryPauses, MemoryStandingReading
from tests.memory.unit_of_work import MemoryUnitOfWork
from tests.simulation.faults import Faults
from tests.simulation.loop import SimClock, VirtualLoop
from tests.simulation.process import NoAnswer, Port, Process, SimUnitOfWork

SERVICE = OwnName("orders")
ADA = Caller(Role.OPERATOR, "ada", "gateway")
RESTS_WITHIN_S = 60.0
LOOKS_EVERY_S = 0.05
QUIET_LOOKS = 10
REPEATS_AFTER_S = 0.2

T = TypeVar("T")
Operator = Callable[["OperatedShop"], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Handled:
    number: UUID
    message: str


# Without a key of the message: what is handled twice is there twice.
HANDLED = Table[Handled]({"number": lambda handled: handled.number})


class OperatedService:
    """Its consumer writes down what it handles. One process of it."""

    def __init__(self, database: MemoryDatabase, process: Process, clock: SimClock) -> None:
        self._database = database
        self._process = process
        self._clock = clock
        self._consumer = Consumer(wire.decode, self._handle, self._park, clock)
        reading = Port(process, "reading", MemoryParkedReading(database))
        self.read = ReadParked(reading, SERVICE)
        self._standing: Any = Port(process, "reading", MemoryStandingReading(database, SERVICE))
        self._intake = Intake(InProcessBus(InProcessBroker(Catalog(())), SERVICE), self._standing)

    def _uow(self) -> SimUnitOfWork:
        return SimUnitOfWork(self._database, self._process, lambda: None)

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
        record = self._port("record", MemoryOperatorRecord(uow), uow)
        held = self._port("held", MemoryHeldCauses(uow), uow)
        return OperateParked(
            self.read,
            BeginOperation(uow, self._operations(uow), record, clock),
            HoldCause(uow, held, record, clock),
            ReleaseCause(uow, held, record, clock),
            clock,
        )

    @property
    def consumer(self) -> OperateConsumer:
        uow = self._uow()
        pauses = self._port("pauses", MemoryPauses(uow, SERVICE), uow)
        parts = uow, pauses, self._port("record", MemoryOperatorRecord(uow), uow), self._clock
        pause, resume = PauseConsumer(*parts), ResumeConsumer(*parts)
        return OperateConsumer(self._standing, SERVICE, pause, resume, self._clock)

    async def run(self) -> None:
        """Looks first whether it is paused, as a service does before it takes a message."""
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
        return [
            Periodically(self._work_off, WORK_OFF_EVERY_S, self._clock),
            Periodically(self._look, LOOK_EVERY_S, self._clock),
            Relay(self._intake.unless_paused(self._replayed), self._clock),
            Relay(self._intake.unless_paused(self._letters), self._clock),
        ]

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


class OperatedShop:
    """Some replicas over one database; whatever dies comes back."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.database = MemoryDatabase()
        self.broken: list[str] = []
        self.story: list[str] = []
        self.calls = self.calls_to_rest = 0
        self._running: dict[str, tuple[Process, OperatedService]] = {}
        self._away_until = 0.0
        self._over = False

    async def park(self, *bodies: bytes) -> None:
        """In fair weather: events that are parked, and letters."""
        clock = SimClock(self.faults.rng, skew_s=0.0)
        uow = MemoryUnitOfWork(self.database)
        park = ParkMessage(uow, MemoryInbox(uow, clock), MemoryParkedMessages(uow, clock))
        for body in bodies:
            if body.startswith(b"{"):
                (item,) = wire.decode(body)
                assert isinstance(item, Received)
                await park(item.unhandled("order_not_found", "not yet"))
            else:
                await park(unhandled_letter(DeadLetter(body, "t", "unreadable", "noon")))

    def start(self, name: str) -> None:
        if self._over:
            return
        process = Process(name, self)
        service = OperatedService(self.database, process, SimClock(self.faults.rng, skew_s=0.1))
        self._running[name] = process, service
        process.spawn(service.run())

    async def ask(self, act: Callable[[OperatedService], Awaitable[T]]) -> T | None:
        """As an operator who repeats a call whose outcome is not known; None where there is nothing to do any
        more."""
        while True:
            process, service = self._running[self.faults.rng.choice(sorted(self._running))]
            try:
                return await process.serve("http.operate", partial(act, service))
            except (NoAnswer, Unavailable, OutcomeUnknown):
                await asyncio.sleep(REPEATS_AFTER_S)
            except NotFound:
                return None

    async def groups(self, place: str) -> list[Group]:
        groups = await self.ask(lambda service: service.read.groups(ADA))
        return [group for group in groups or () if group.cause.place == place]

    async def operate(self, kind: Kind, place: str) -> None:
        for id in [group.id for group in await self.groups(place)]:
            await self.ask(lambda service, id=id: service.operate.group(ADA, kind, id, "a test"))

    async def rests(self, operator: Awaitable[None]) -> None:
        loop, acting = asyncio.get_running_loop(), asyncio.ensure_future(operator)
        while not self.broken and loop.time() < RESTS_WITHIN_S:
            await asyncio.sleep(LOOKS_EVERY_S)
            if acting.done() and await self.is_quiet():
                break
        else:
            self.broken.append("it never comes to rest")
        acting.cancel()
        self._over = True
        for process, _ in self._running.values():
            process.kill()

    async def is_quiet(self) -> bool:
        """For a while: between two transactions of a job nothing tells that it goes on."""
        calls = self.calls
        for _ in range(QUIET_LOOKS):
            if not self._seems_quiet():
                return False
            await asyncio.sleep(LOOKS_EVERY_S)
        self.calls_to_rest = calls
        return True

    def _seems_quiet(self) -> bool:
        running = [one for one in self.database.rows(OPERATIONS) if one.ended_at is None]
        return not (running or self.database.rows(OUTBOX) or self.database.locks)

    def note(self, line: str) -> None:
        """Of every call, and of what came of it."""
        self.story.append(line)
        self.calls += "." in line

    def rolled_back(self) -> None:
        """Nobody counts."""

    def died(self, process: Process) -> None:
        asyncio.get_running_loop().call_later(self.faults.outage_s(), self.start, process.name)

    def deadlocked(self, process: Process) -> None:
        self.broken.append(f"{process.name}: deadlock")

    def crashed(self, process: Process, error: BaseException) -> None:
        self.broken.append(f"{process.name}: {error!r}")

    def leaves(self, process: Process, server: str | None) -> None:
        self._away_until = asyncio.get_running_loop().time() + self.faults.outage_s()

    def is_away(self, process: Process, server: str | None) -> bool:
        return server == "database" and asyncio.get_running_loop().time() < self._away_until


def run(faults: Faults, operator: Operator, *bodies: bytes, replicas: int = 1) -> OperatedShop:
    """The shop at rest, after what the operator did."""
    loop = VirtualLoop()

    async def act() -> OperatedShop:
        shop = OperatedShop(faults)
        await shop.park(*bodies)
        for number in range(replicas):
            shop.start(f"orders-{number}")
        await shop.rests(operator(shop))
        return shop

    try:
        return loop.run_until_complete(act())
    finally:
        loop.end()
