"""The parts that processes of both services share, put together as in the `wiring.py` of the kernel."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol
from uuid import UUID

from kernel.application.housekeeping import INBOX_KEPT, Periodically, PruneInbox
from kernel.application.poll import POLL_EVERY_S, PollOutbox
from kernel.application.relay import PublishCommitted, RelayBuffer, RelayResult
from kernel.application.relay_loop import Relay
from kernel.domain.acts import Act
from kernel.ports.operator_record import OperatorRecord
from kernel.serving import Background
from kernel.wiring.background import RelayDispatcher
from tests.assembly import InMemory, Parts
from tests.catalog import CATALOG
from tests.memory.database import MemoryDatabase
from tests.simulation.bus import Broker, SimPublisher
from tests.simulation.loop import SimClock
from tests.simulation.process import Port, Process, SimUnitOfWork


class LeavesAllBehind(PublishCommitted):
    """A process that never gets to publish what it committed."""

    async def __call__(self, event_type: str, buffer: RelayBuffer) -> RelayResult:
        buffer.leave_behind()
        return RelayResult.of([])


class ActsAlone:
    """Asks the database only if an operator acted, as the real adapter does."""

    def __init__(self, record: OperatorRecord) -> None:
        self._record = record

    async def add(self, acts: Sequence[Act]) -> None:
        if acts:
            await self._record.add(acts)

    async def of(self, user_id: str, subject: UUID, did: str) -> Act | None:
        return await self._record.of(user_id, subject, did)


class AroundService(Protocol):
    """The world around a process of the shop."""

    parts: Parts
    broker: Broker
    ask_again: bool
    prune_every_s: float
    inbox_kept_s: float

    def seen(self, service: str) -> None:
        """Is called after each commit of the service."""
        ...

    def asked(self, count: int) -> None: ...

    async def admission(self, orders: Sequence[tuple[str, int]]) -> Sequence[str | None]:
        """The answer of the payments service. Raises Unavailable where there is none in time."""
        ...


class Service(InMemory):
    """The common base of both services, in a process that can die at each call of a port."""

    name: str
    groups: Sequence[str]
    """The names of the attributes that are group commits."""

    def __init__(
        self, world: AroundService, process: Process, clock: SimClock, database: MemoryDatabase
    ) -> None:
        self._dispatcher = RelayDispatcher()
        super().__init__(database, clock, self._dispatcher, world.parts)
        self._world = world
        self._process = process
        # By this clock it is so late that the inbox keeps less.
        self._pruning_clock = clock.ahead(INBOX_KEPT.total_seconds() - world.inbox_kept_s)

    def port(self, name: str, adapter: Any, uow: SimUnitOfWork | None = None) -> Any:
        return Port(self._process, name, adapter, uow)

    def uow(self) -> SimUnitOfWork:
        return SimUnitOfWork(self.database, self._process, partial(self._world.seen, self.name))

    def record(self, uow: SimUnitOfWork) -> ActsAlone:
        return ActsAlone(super().record(uow))

    def group(self, execute: Callable[..., Any], **options: Any) -> Any:
        return self.parts.group_commit(execute, self.clock, **options)

    def consumer(self, decode: Callable[..., Any], handle: Callable[..., Any]) -> Any:
        return self.parts.consumer(decode, handle, self.park, self.clock)

    def jobs(self) -> list[Background]:
        polled: dict[str, list[Relay]] = {}
        jobs: list[Background] = [
            Periodically(self._prune, self._world.prune_every_s, self.clock),
            Periodically(partial(self._poll, polled), POLL_EVERY_S, self.clock),
        ]
        for name in CATALOG.of(self.name).publishes:
            buffer = RelayBuffer()
            self._dispatcher.hand_to(name, [buffer])
            publish = partial(self._publish_committed, name, buffer)
            polled[name] = [Relay(partial(self._relay, name), self.clock)]
            jobs += [Relay(publish, self.clock, wake=buffer.added), *polled[name]]
        return jobs

    async def _poll(self, relays: Mapping[str, Sequence[Relay]]) -> bool:
        uow = self.uow()
        return await PollOutbox(uow, self.backlog(uow))(relays)

    async def _publish_committed(self, event_type: str, buffer: RelayBuffer) -> RelayResult:
        uow = self.uow()
        publish = self.parts.publish_committed(uow, self.backlog(uow), self._publisher(), self.clock)
        done: RelayResult = await publish(event_type, buffer)
        return done

    async def _relay(self, event_type: str) -> RelayResult:
        uow = self.uow()
        relay = self.parts.relay_events(uow, self.backlog(uow), self._publisher(), self.clock)
        done: RelayResult = await relay(event_type)
        return done

    def _publisher(self) -> SimPublisher:
        return SimPublisher(self._world.broker, self._process)

    async def _prune(self) -> bool:
        uow = self.uow()
        return await PruneInbox(uow, self.inbox(uow), self._pruning_clock)()
