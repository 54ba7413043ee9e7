"""A whole shop in one event loop: two databases, a bus, and processes that die and come back."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

from kernel.application.housekeeping import INBOX_KEPT
from kernel.domain.errors import Unavailable
from kernel.wiring.background import PRUNE_EVERY_S
from kernel.wiring.lanes import over_all
from tests.assembly import Parts
from tests.memory.database import MemoryDatabase
from tests.memory.outbox import OUTBOX
from tests.simulation import invariants
from tests.simulation.bus import Broker
from tests.simulation.clients import Intent
from tests.simulation.faults import Faults
from tests.simulation.lanes import DatabaseOfLanes, ServiceOfLanes
from tests.simulation.loop import SimClock
from tests.simulation.process import NoAnswer, Process
from tests.simulation.promises import Freezes, Promise
from tests.simulation.services import SERVICES

ADMISSION_WITHIN_S = 0.3
RESTS_WITHIN_S = 60.0
# Asking again waits 5 s, then 10, 20, 40 and 80, and a request may be destroyed as well.
HEALS_WITHIN_S = 400.0
LOOKS_EVERY_S = 0.1

T = TypeVar("T")


class Shop:
    """`broken` are the promises that were seen broken; the history says how it came to that."""

    def __init__(
        self,
        faults: Faults,
        parts: Parts | None = None,
        *,
        replicas: int = 1,
        lanes: int = 1,
        ask_again: bool = True,
        prune_every_s: float = PRUNE_EVERY_S,
        inbox_kept_s: float = INBOX_KEPT.total_seconds(),
        destroying: bool = False,
        subscribes_after_s: float = 0.0,
        skew_s: float = 0.0,
    ) -> None:
        self.faults = faults
        self.parts = parts or Parts()
        self.ask_again = ask_again
        self.prune_every_s = prune_every_s
        self.inbox_kept_s = inbox_kept_s
        self.lanes = {name: [MemoryDatabase() for _ in range(lanes)] for name in SERVICES}
        self.databases = {name: over_all(of_it, DatabaseOfLanes) for name, of_it in self.lanes.items()}
        self.broker = Broker(faults, lambda: self.seen("bus"))
        self.intents: list[Intent] = []
        self.repeated_requests_count = 0
        self.rollbacks_count = 0
        self.poison: set[str] = set()
        self.garbage: set[bytes] = set()
        self.destroying = destroying
        self.has_operators = False
        self.freezes = Freezes()
        self.broken: list[str] = []
        self.history: list[tuple[float, str]] = []
        self._subscribes_after_s = subscribes_after_s
        self._skew_s = skew_s
        self._replicas = {name: [f"{name}-{n + 1}" for n in range(replicas)] for name in SERVICES}
        self._running: dict[str, tuple[Process, Any]] = {}
        self._back_at: dict[str, float] = {}
        self._over = False

    def open(self) -> None:
        self._loop = asyncio.get_running_loop()
        for names in self._replicas.values():
            for name in names:
                self._start(name)

    def note(self, line: str) -> None:
        self.history.append((self._loop.time(), line))

    def _start(self, name: str) -> None:
        if self._over:
            return
        self.note(f"{name}: starts")
        process = Process(name, self)
        skew_s = self._skew_s * (self.faults.rng.random() - 0.5)
        clock = SimClock(self.faults.rng, skew_s=skew_s)
        kind, lanes = SERVICES[process.service], self.lanes[process.service]
        service = over_all([kind(self, process, clock, lane) for lane in lanes], ServiceOfLanes)
        self._running[name] = process, service
        for job in service.jobs():
            process.spawn(job.run())
        process.spawn(self._subscribe(process, service))

    async def _subscribe(self, process: Process, service: Any) -> None:
        await asyncio.sleep(self._subscribes_after_s * self.faults.rng.random())
        self.broker.subscribe(process, service.name, service.handle)

    def rolled_back(self) -> None:
        self.rollbacks_count += not self._over

    def died(self, process: Process) -> None:
        self.broker.connection_lost(process)
        self._loop.call_later(self.faults.outage_s(), self._start, process.name)

    async def call(self, service: str, name: str, act: Callable[[Any], Awaitable[T]]) -> T:
        """An HTTP request through the balancer. Raises NoAnswer, or what the service raises."""
        process, running = self._running[self.faults.rng.choice(self._replicas[service])]
        return await process.serve(name, partial(act, running))

    async def admission(self, orders: Sequence[tuple[str, int]]) -> Sequence[str | None]:
        try:
            async with asyncio.timeout(ADMISSION_WITHIN_S):
                return await self.call("payments", "http.admission", lambda s: s.admit_orders(orders))
        except (NoAnswer, TimeoutError) as error:
            raise Unavailable("payments did not answer") from error

    def deadlocked(self, process: Process) -> None:
        self.breaks(Promise.NO_DEADLOCK, process.name)

    def crashed(self, process: Process, error: BaseException) -> None:
        self.breaks(Promise.NO_CRASH, f"{process.name}: {error!r}")

    def leaves(self, process: Process, server: str | None) -> None:
        self._back_at[_place(process, server)] = self._loop.time() + self.faults.outage_s()

    def is_away(self, process: Process, server: str | None) -> bool:
        if not self._back_at:
            return False
        return self._loop.time() < self._back_at.get(_place(process, server), 0.0)

    def asked(self, count: int) -> None:
        self.repeated_requests_count += count

    def breaks(self, promise: Promise, detail: str) -> None:
        self.broken.append(f"{promise}: {detail}")

    def seen(self, where: str) -> None:
        """Checks the invariants after each change that others can see."""
        if not self.broken:
            self.broken += invariants.at_every_step(self, where)

    async def comes_to_rest(self, clients: Sequence[Awaitable[None]]) -> None:
        """Runs the clients, until nothing is left to do or a promise is broken."""
        acting = [asyncio.ensure_future(client) for client in clients]
        limit_s = HEALS_WITHIN_S if self.destroying and self.ask_again else RESTS_WITHIN_S
        while not self.broken and self._loop.time() < limit_s:
            await asyncio.sleep(LOOKS_EVERY_S)
            if all(client.done() for client in acting) and self.is_quiet():
                break
        for client in acting:
            if client.done() and (error := client.exception()) is not None:
                self.breaks(Promise.NO_CRASH, repr(error))
        if not self.broken:
            self.broken += invariants.at_rest(self)
        self._over = True
        for process, _ in self._running.values():
            process.kill()

    def is_quiet(self) -> bool:
        """Whether no work is pending: no message, event, open transaction or undecided order."""
        idle = not any(database.rows(OUTBOX) or database.locks for database in self.databases.values())
        return idle and not any(self.broker.queues.values()) and not any(invariants.undecided(self))

    def story(self) -> Iterator[str]:
        for at, line in self.history:
            yield f"{at:8.3f}  {line}"


def _place(process: Process, server: str | None) -> str:
    return f"{process.service}'s database" if server == "database" else server or "nowhere"
