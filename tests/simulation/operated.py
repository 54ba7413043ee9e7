"""A service with parked messages, whose operators act while its process and its database fail."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from kernel.adapters.cloudevents import unhandled_letter
from kernel.application.consume import ParkMessage
from kernel.domain.errors import NotFound, OutcomeUnknown, Unavailable
from kernel.domain.events import Received
from kernel.domain.parked import Group, Kind
from kernel.ports.bus import DeadLetter
from orders import wire
from orders.domain.audit_run import RunState
from tests.memory.audit import AUDIT_RUNS
from tests.memory.database import MemoryDatabase
from tests.memory.inbox import MemoryInbox
from tests.memory.operations import HELD, OPERATIONS
from tests.memory.operator_record import OPERATOR_RECORD
from tests.memory.outbox import OUTBOX
from tests.memory.parked import MemoryParkedMessages
from tests.memory.pauses import PAUSED
from tests.memory.unit_of_work import MemoryUnitOfWork
from tests.simulation.faults import Faults
from tests.simulation.loop import SimClock, VirtualLoop
from tests.simulation.operated_service import ADA, OperatedParts, OperatedService
from tests.simulation.process import NoAnswer, Process

# A run of the audit that died can be begun again after 15 s, and several may die.
RESTS_WITHIN_S = 300.0
LOOKS_EVERY_S = 0.05
QUIET_LOOKS = 10
REPEATS_AFTER_S = 0.2

T = TypeVar("T")
Operator = Callable[["OperatedShop"], Awaitable[None]]


class OperatedShop:
    """Replicas of a service on one database. A process that dies is restarted."""

    def __init__(self, faults: Faults, parts: OperatedParts | None = None) -> None:
        self.faults = faults
        self.parts = parts or OperatedParts()
        self.database = MemoryDatabase()
        self.broken: list[str] = []
        self.story: list[str] = []
        self.calls = self.calls_to_rest = 0
        self._seen = 0, self._operated()
        self._running: dict[str, tuple[Process, OperatedService]] = {}
        self._away_until = 0.0
        self._over = False

    async def park(self, *bodies: bytes) -> None:
        """Parks events and dead letters, without faults."""
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
        clock = SimClock(self.faults.rng, skew_s=0.1)
        service = OperatedService(self.database, process, clock, self.parts, self.committed)
        self._running[name] = process, service
        process.spawn(service.run())

    async def ask(self, act: Callable[[OperatedService], Awaitable[T]]) -> T | None:
        """Repeats `act` while its outcome is unknown, as an operator. Returns None if nothing is left to
        do."""
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
        if acting.done():
            acting.result()
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

    def committed(self) -> None:
        """Checks that a change of an operator and its record come in one transaction."""
        seen = len(self.database.rows(OPERATOR_RECORD)), self._operated()
        if (seen[0] == self._seen[0]) is not (seen[1] == self._seen[1]):
            self.broken.append(f"an act and its record are apart: {self._seen}, then {seen}")
        self._seen = seen
        if sum(run.state is RunState.RUNNING for run in self.database.rows(AUDIT_RUNS)) > 1:
            self.broken.append("two audits run")

    def _operated(self) -> object:
        rows = self.database.rows
        return len(rows(OPERATIONS)), len(rows(AUDIT_RUNS)), rows(HELD), rows(PAUSED)

    def note(self, line: str) -> None:
        """Records a line about a call or its outcome."""
        self.story.append(line)
        self.calls += "." in line

    def rolled_back(self) -> None:
        """Does nothing, because this shop does not count rollbacks."""

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


def run(
    faults: Faults, operator: Operator, *bodies: bytes, replicas: int = 1, parts: OperatedParts | None = None
) -> OperatedShop:
    """Parks the messages, lets the operator work, and returns the shop at rest."""
    loop = VirtualLoop()

    async def act() -> OperatedShop:
        shop = OperatedShop(faults, parts)
        await shop.park(*bodies)
        for number in range(replicas):
            shop.start(f"orders-{number}")
        await shop.rests(operator(shop))
        return shop

    try:
        return loop.run_until_complete(act())
    finally:
        loop.end()
