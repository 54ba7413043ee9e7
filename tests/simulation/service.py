"""What the processes of both services have in common, put together as in the `wiring.py` of the kernel."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from kernel.adapters.memory.database import MemoryDatabase
from kernel.adapters.memory.inbox import MemoryInbox
from kernel.adapters.memory.outbox import MemoryBacklog, MemoryOutbox
from kernel.adapters.memory.parked import MemoryParkedMessages
from kernel.application.consume import Consumer, ParkMessage
from kernel.application.group_commit import GroupCommit
from kernel.application.housekeeping import INBOX_KEPT, Periodically, PruneInbox
from kernel.application.relay import Committed, PublishCommitted, Relay, RelayEvents, Round
from kernel.contracts.catalog import published_by
from kernel.domain.events import Unhandled
from kernel.serving import Background
from kernel.wiring import Outgoing
from orders import wire as orders_wire
from orders.adapters.outbound.memory import MemoryHistory, MemoryOrders
from orders.application.cancel_orders import CancelOrders
from orders.application.place_orders import PlaceOrders
from orders.application.settle_orders import SettleOrders
from payments import wire as payments_wire
from payments.adapters.outbound.memory import (
    MemoryAccounts,
    MemoryLedger,
    MemoryPayments,
)
from payments.application.charge_orders import ChargeOrders
from payments.application.make_deposits import MakeDeposits
from tests.simulation.bus import Broker, SimPublisher
from tests.simulation.loop import SimClock
from tests.simulation.process import Port, Process, SimUnitOfWork


class LeavesAllBehind(PublishCommitted):
    """As a process does that never gets to publish what it committed."""

    async def __call__(self, event_type: str, committed: Committed) -> Round:
        committed.leave_behind()
        return Round.of([])


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a shop is made of; a planted bug puts another part in the place of one of these."""

    inbox: Callable[..., Any] = MemoryInbox
    outbox: Callable[..., Any] = MemoryOutbox
    publish_committed: Callable[..., Any] = PublishCommitted
    relay_events: Callable[..., Any] = RelayEvents
    group_commit: Callable[..., Any] = GroupCommit
    consumer: Callable[..., Any] = Consumer
    orders: Callable[..., Any] = MemoryOrders
    history: Callable[..., Any] = MemoryHistory
    place_orders: Callable[..., Any] = PlaceOrders
    cancel_orders: Callable[..., Any] = CancelOrders
    settle_orders: Callable[..., Any] = SettleOrders
    accounts: Callable[..., Any] = MemoryAccounts
    ledger: Callable[..., Any] = MemoryLedger
    payments: Callable[..., Any] = MemoryPayments
    charge_orders: Callable[..., Any] = ChargeOrders
    make_deposits: Callable[..., Any] = MakeDeposits
    decode_orders_facts: Callable[..., Any] = orders_wire.decode
    decode_payments_facts: Callable[..., Any] = payments_wire.decode


class World(Protocol):
    """What a process of the shop finds around it."""

    parts: Parts
    broker: Broker
    databases: Mapping[str, MemoryDatabase]
    ask_again: bool
    prune_every_s: float
    inbox_kept_s: float

    def seen(self, service: str) -> None:
        """Something was committed there."""
        ...

    def asked(self, count: int) -> None: ...

    async def admission(self, orders: Sequence[tuple[str, int]]) -> Sequence[str | None]:
        """The answer of the payments service. Raises Unavailable where there is none in time."""
        ...


class Service:
    """What both services share; a use case is made anew for each call, on a unit of work of its own."""

    name: str
    encode: Callable[..., Any]

    def __init__(self, world: World, process: Process, clock: SimClock) -> None:
        self.parts = world.parts
        self.clock = clock
        self._world = world
        self._process = process
        self._database = world.databases[self.name]
        self._outgoing = Outgoing()
        # By this clock it is so late that the inbox keeps less.
        self._pruning_clock = clock.ahead(INBOX_KEPT.total_seconds() - world.inbox_kept_s)

    def port(self, name: str, target: Any, uow: SimUnitOfWork | None = None) -> Any:
        return Port(self._process, name, target, uow)

    def uow(self) -> SimUnitOfWork:
        return SimUnitOfWork(self._database, self._process, partial(self._world.seen, self.name))

    def inbox(self, uow: SimUnitOfWork) -> Any:
        return self.port("inbox", self.parts.inbox(uow, self.clock), uow)

    def parked(self, uow: SimUnitOfWork) -> Any:
        return self.port("parked", MemoryParkedMessages(uow, self.clock), uow)

    def outbox(self, uow: SimUnitOfWork) -> Any:
        return self.port("outbox", self.parts.outbox(uow, self.clock, self.encode, self._outgoing), uow)

    def backlog(self, uow: SimUnitOfWork) -> Any:
        return self.port("backlog", MemoryBacklog(uow), uow)

    def group(self, execute: Callable[..., Any], repeat: Callable[..., Any] | None = None) -> Any:
        return self.parts.group_commit(execute, self.clock, repeat=repeat)

    def consumer(self, decode: Callable[..., Any], handle: Callable[..., Any]) -> Any:
        return self.parts.consumer(decode, handle, self._park, self.clock)

    def jobs(self) -> list[Background]:
        jobs: list[Background] = [Periodically(self._prune, self._world.prune_every_s, self.clock)]
        for name in published_by(self.name):
            committed = self._outgoing.of_type(name)
            publish = partial(self._publish_committed, name, committed)
            jobs += [
                Relay(publish, self.clock, wake=committed.told, polls=False),
                Relay(partial(self._relay, name), self.clock),
            ]
        return jobs

    async def _publish_committed(self, event_type: str, committed: Committed) -> Round:
        uow = self.uow()
        publish = self.parts.publish_committed(uow, self.backlog(uow), self._publisher())
        done: Round = await publish(event_type, committed)
        return done

    async def _relay(self, event_type: str) -> Round:
        uow = self.uow()
        relay = self.parts.relay_events(uow, self.backlog(uow), self._publisher(), self.clock)
        done: Round = await relay(event_type)
        return done

    def _publisher(self) -> SimPublisher:
        return SimPublisher(self._world.broker, self._process)

    async def _park(self, unhandled: Unhandled) -> None:
        uow = self.uow()
        await ParkMessage(uow, self.inbox(uow), self.parked(uow))(unhandled)

    async def _prune(self) -> bool:
        uow = self.uow()
        return await PruneInbox(uow, self.inbox(uow), self._pruning_clock)()
