"""What every service is assembled from."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import ParamSpec, Protocol, TypeVar

from dishka import AnyOf, AsyncContainer, Provider, Scope, provide
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.http.health import Probes
from kernel.adapters.postgres.engine import connect_engine
from kernel.adapters.postgres.figures import parked, waiting
from kernel.adapters.postgres.inbox import PostgresInbox
from kernel.adapters.postgres.outbox import PostgresBacklog
from kernel.adapters.postgres.parked import PostgresParkedMessages
from kernel.adapters.postgres.pool import pool_of
from kernel.adapters.postgres.schema import revision
from kernel.adapters.postgres.start import require_fit
from kernel.adapters.postgres.tables import Schema
from kernel.adapters.postgres.unit_of_work import PostgresUnitOfWork
from kernel.adapters.system_clock import SystemClock
from kernel.adapters.telemetry.metrics import StoreMetrics
from kernel.adapters.telemetry.telemetry import Telemetry
from kernel.application.consume import ParkMessage
from kernel.application.housekeeping import Periodically, PruneInbox
from kernel.application.operate import REPLAYED, HandleReplayed
from kernel.application.relay import Committed, PublishCommitted, Relay, RelayEvents
from kernel.application.trouble import Trouble
from kernel.application.watchdog import WaitingSince, Watchdog
from kernel.contracts.catalog import published_by
from kernel.domain.errors import Contention, ShopError
from kernel.ports.bus import Bus, Handler, Publisher
from kernel.ports.clock import Clock
from kernel.ports.inbox import Inbox
from kernel.ports.outbox import Backlog, Joined
from kernel.ports.parked import ParkedMessages
from kernel.ports.unit_of_work import UnitOfWork

PRUNE_EVERY_S = 10.0
LOOK_EVERY_S = 1.0
READ_S = 2.0
EXPORT_S = 2.0

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class UseCase(Protocol[P, R_co]):
    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...


def in_scope(container: AsyncContainer, use_case: type[UseCase[P, R]]) -> Callable[P, Awaitable[R]]:
    """The use case as a function: each call gets one to itself, on a unit of work that nobody else uses.

    It is used again, for building one takes as long as much of what it does; no part of it needs closing.
    """
    idle: list[UseCase[P, R]] = []

    async def build() -> UseCase[P, R]:
        async with container() as scope:
            return await scope.get(use_case)

    async def call(*args: P.args, **kwargs: P.kwargs) -> R:
        act = idle.pop() if idle else await build()
        result = await act(*args, **kwargs)
        idle.append(act)
        return result

    return call


class Outgoing:
    """Hands what was committed to the relay of its type."""

    def __init__(self) -> None:
        self._of_type: dict[str, Committed] = {}

    def __call__(self, row: Joined) -> None:
        self.of_type(row.type).add(row)

    def of_type(self, event_type: str) -> Committed:
        return self._of_type.setdefault(event_type, Committed())


class KernelProvider(Provider):
    """The mechanisms of a service with a database and a bus."""

    scope = Scope.REQUEST

    def __init__(self, engine: AsyncEngine, bus: Bus, telemetry: Telemetry) -> None:
        super().__init__()
        self._engine = engine
        self._bus = bus
        self._telemetry = telemetry

    uow = provide(PostgresUnitOfWork, provides=AnyOf[PostgresUnitOfWork, UnitOfWork])
    inbox = provide(PostgresInbox, provides=Inbox)
    parked = provide(PostgresParkedMessages, provides=ParkedMessages)
    backlog = provide(PostgresBacklog, provides=Backlog)
    publish_committed = provide(PublishCommitted)
    relay_events = provide(RelayEvents)
    park_message = provide(ParkMessage)
    handle_replayed = provide(HandleReplayed)
    prune_inbox = provide(PruneInbox)
    waiting_since = provide(WaitingSince)
    clock = provide(SystemClock, provides=Clock, scope=Scope.APP)
    outgoing = provide(Outgoing, scope=Scope.APP)

    @provide(scope=Scope.APP)
    def engine(self) -> AsyncEngine:
        return self._engine

    @provide(scope=Scope.APP)
    def bus(self) -> Bus:
        return self._bus

    @provide(scope=Scope.APP)
    def watchdog(self, container: AsyncContainer, clock: Clock) -> Watchdog:
        database = pool_of(self._engine).trouble
        return Watchdog(
            self._bus, in_scope(container, WaitingSince), database, Trouble("rabbitmq", clock), clock
        )

    @provide(scope=Scope.APP)
    def publisher(self, watchdog: Watchdog) -> Publisher:
        return self._telemetry.publisher(watchdog)

    @provide(scope=Scope.APP)
    def telemetry(self) -> Telemetry:
        return self._telemetry


async def relays(
    container: AsyncContainer, service: str, store: StoreMetrics, consumer: Handler
) -> list[Relay]:
    """Two a type, for what is committed here and for what was left behind: a type that cannot be published
    holds up no other. And one for what goes back to the consumer by an operator's order."""
    publish_committed = store.publishing(in_scope(container, PublishCommitted))
    relay_events = store.publishing(in_scope(container, RelayEvents))
    outgoing, clock = await container.get(Outgoing), await container.get(Clock)
    relays = [Relay(partial(in_scope(container, HandleReplayed), consumer), clock)]
    for name in published_by(service):
        committed = outgoing.of_type(name)
        publish = partial(publish_committed, name, committed)
        relays += [
            Relay(publish, clock, wake=committed.told, polls=False),
            Relay(partial(relay_events, name), clock),
        ]
    return relays


async def housekeeping(container: AsyncContainer) -> list[Periodically]:
    watchdog, clock = await container.get(Watchdog), await container.get(Clock)
    return [
        Periodically(in_scope(container, PruneInbox), PRUNE_EVERY_S, clock),
        Periodically(watchdog.look, LOOK_EVERY_S, clock),
    ]


@asynccontextmanager
async def open_telemetry(service: str, collector_url: str | None) -> AsyncIterator[Telemetry]:
    """What was traced is exported at the end, as far as the collector takes it soon."""
    if collector_url is None:
        yield Telemetry()
        return
    from kernel.adapters.telemetry.strict import begin_tracing

    tracing = begin_tracing(service, collector_url)
    try:
        yield Telemetry(tracing)
    finally:
        if tracing is not None:
            await tracing.close(within_s=EXPORT_S)


def watch(telemetry: Telemetry, service: str, engine: AsyncEngine, watchdog: Watchdog) -> StoreMetrics:
    """Figures of the service's tables, pool and bus, each read when it is asked for."""
    store = StoreMetrics(telemetry.metrics.registry, [*published_by(service), REPLAYED])
    pool = pool_of(engine)
    store.watch(bus_is_healthy=lambda: watchdog.healthy, used=pool.checkedout, most=pool.size())

    async def read() -> None:
        try:
            async with asyncio.timeout(READ_S):
                store.show(await waiting(engine), await parked(engine))
        except (ShopError, Contention, TimeoutError):
            store.hide()

    telemetry.read_before_scrape(read)
    return store


@asynccontextmanager
async def database(url: str, schema: Schema) -> AsyncIterator[AsyncEngine]:
    """The service's database. Raises Unavailable or SchemaMismatch, in one clear line, at start."""
    await require_fit(url, schema)
    engine = connect_engine(url)
    pool_of(engine).trouble.server = f"the {schema.service} database"
    try:
        yield engine
    finally:
        await engine.dispose()


def probes(engine: AsyncEngine, wanted: int, watchdog: Watchdog, stop: asyncio.Event) -> Probes:
    trouble = pool_of(engine).trouble
    found = 0

    async def database_answers() -> bool:
        nonlocal found
        found = await revision(engine)
        return True

    async def schema_suffices() -> bool:
        return found >= wanted

    async def database_takes_all() -> bool:
        return not trouble.lasts

    async def work_gets_through() -> bool:
        return watchdog.healthy

    return Probes(
        required={"database": database_answers, "schema": schema_suffices},
        helpful={"database": database_takes_all, "rabbitmq": work_gets_through},
        stop=stop,
    )
