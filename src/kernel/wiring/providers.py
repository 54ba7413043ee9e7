"""The kernel's parts of a service with a database and a bus, as dishka provides them."""

from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from typing import TypeVar

from dishka import AnyOf, AsyncContainer, Provider, Scope, from_context, provide, provide_all
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.lanes.groups import GroupsOfLanes
from kernel.adapters.lanes.messages import (
    FactsOfLanes,
    FiguresOfLanes,
    InEachLane,
    ParkedReadingOfLanes,
    RecordedActsOfLanes,
    StandingOfLanes,
)
from kernel.adapters.postgres.connections.pool import pool_of, pools_of
from kernel.adapters.postgres.messages.facts import PostgresMessagingFacts
from kernel.adapters.postgres.messages.inbox import PostgresInbox
from kernel.adapters.postgres.messages.operations import PostgresHeldCauses, PostgresOperations
from kernel.adapters.postgres.messages.outbox import PostgresBacklog, PostgresOutbox
from kernel.adapters.postgres.messages.parked import PostgresDiscardedMessages, PostgresParkedMessages
from kernel.adapters.postgres.messages.pauses import PostgresPauses, PostgresStandingReading
from kernel.adapters.postgres.messages.reading import PostgresParkedReading
from kernel.adapters.postgres.operator_record import PostgresOperatorRecord, PostgresRecordedActs
from kernel.adapters.postgres.overview import PostgresMessagingFigures
from kernel.adapters.postgres.statements.unit_of_work import PostgresUnitOfWork
from kernel.adapters.postgres.tables import Schema
from kernel.adapters.system_clock import SystemClock
from kernel.adapters.telemetry.messaging import MessagingMetrics
from kernel.adapters.telemetry.telemetry import Telemetry
from kernel.application.consume import ParkMessage
from kernel.application.fan_out import RelayToConsumer
from kernel.application.group_commit import GroupCommit
from kernel.application.groups import Groups
from kernel.application.housekeeping import PruneInbox
from kernel.application.intake import Intake
from kernel.application.operate import BeginOperation, HoldCause, OperateParked, ReleaseCause
from kernel.application.pause_consumer import OperateConsumer, PauseConsumer, ResumeConsumer
from kernel.application.poll import PollOutbox
from kernel.application.read_overview import ReadOverview
from kernel.application.read_parked import ReadParked
from kernel.application.read_record import ReadRecord
from kernel.application.relay import PublishCommitted, RelayEvents
from kernel.application.replay import HandleLetters, HandleReplayed, encode_replayed
from kernel.application.set_aside import HandBack, SetAside, Waiting, encode_waiting
from kernel.application.trouble import Trouble
from kernel.application.watchdog import Watchdog
from kernel.application.work_off import WorkOff
from kernel.domain.events import Parked
from kernel.domain.parked import OwnName
from kernel.ports.bus import Bus, Publisher
from kernel.ports.clock import Clock
from kernel.ports.facts import MessagingFacts
from kernel.ports.figures import MessagingFigures
from kernel.ports.inbox import Inbox
from kernel.ports.operator_record import OperatorRecord, RecordedActs
from kernel.ports.outbox import Backlog, Outbox
from kernel.ports.parked import (
    DiscardedMessages,
    HeldCauses,
    Operations,
    ParkedMessages,
    ParkedReading,
)
from kernel.ports.pauses import Pauses, StandingReading
from kernel.ports.unit_of_work import UnitOfWork
from kernel.wiring.background import RelayDispatcher
from kernel.wiring.lanes import LANE, Lanes
from kernel.wiring.use_cases import scoped

VERSION = version("shop")

C = TypeVar("C")
R = TypeVar("R")


class KernelProvider(Provider):
    scope = Scope.REQUEST

    def __init__(
        self, schema: Schema, engines: Sequence[AsyncEngine], bus: Bus, telemetry: Telemetry
    ) -> None:
        """`engines` has one engine for each lane."""
        super().__init__()
        self._schema = schema
        self._engines = engines
        telemetry.messaging_system = bus.system
        self.provide(lambda: OwnName(schema.service), provides=OwnName, scope=Scope.APP)
        self.provide(lambda: bus, provides=Bus, scope=Scope.APP)
        self.provide(lambda: telemetry, provides=Telemetry, scope=Scope.APP)

    engine = from_context(provides=AsyncEngine, scope=LANE)
    uow = provide(PostgresUnitOfWork, provides=AnyOf[PostgresUnitOfWork, UnitOfWork])
    inbox = provide(PostgresInbox, provides=Inbox)
    parked = provide(PostgresParkedMessages, provides=ParkedMessages)
    discarded = provide(PostgresDiscardedMessages, provides=DiscardedMessages)
    held = provide(PostgresHeldCauses, provides=HeldCauses)
    operations = provide(PostgresOperations, provides=Operations)
    reading = provide(PostgresParkedReading, scope=LANE)
    backlog = provide(PostgresBacklog, provides=Backlog)
    record = provide(PostgresOperatorRecord, provides=OperatorRecord)
    recorded_acts = provide(PostgresRecordedActs, scope=LANE)
    figures = provide(PostgresMessagingFigures, scope=LANE)
    of_service = provide_all(Intake, ReadParked, ReadRecord, scope=Scope.APP)
    use_cases = provide_all(
        PublishCommitted,
        RelayEvents,
        RelayToConsumer,
        ParkMessage,
        HandleReplayed,
        HandleLetters,
        SetAside,
        HandBack,
        PruneInbox,
        PollOutbox,
        WorkOff,
        BeginOperation,
        HoldCause,
        ReleaseCause,
        PauseConsumer,
        ResumeConsumer,
    )
    pauses = provide(PostgresPauses, provides=Pauses)
    standing = provide(PostgresStandingReading, scope=LANE)
    clock = provide(SystemClock, provides=Clock, scope=Scope.APP)
    dispatcher = provide(RelayDispatcher, scope=LANE)

    @provide(scope=Scope.APP)
    async def lanes(self, container: AsyncContainer) -> Lanes:
        """The containers are never closed: their parts live as long as the process."""
        opened = [container({AsyncEngine: engine}, scope=LANE) for engine in self._engines]
        pools = [pool_of(engine) for engine in self._engines]
        containers = [await lane.__aenter__() for lane in opened]
        return Lanes(containers, lambda number: pools[number].is_lost, servers=len(set(pools)))

    @provide(scope=Scope.APP)
    async def groups(self, lanes: Lanes, command: type[C], outcome: type[R]) -> Groups[C, R]:
        part = GroupCommit[command, outcome]  # type: ignore[valid-type]
        return await lanes.over_all(part, partial(GroupsOfLanes, is_lost=lanes.is_lost))

    @provide(scope=Scope.APP)
    async def all_reading(self, lanes: Lanes) -> ParkedReading:
        return await lanes.over_all(PostgresParkedReading, ParkedReadingOfLanes)

    @provide(scope=Scope.APP)
    async def all_acts(self, lanes: Lanes) -> RecordedActs:
        return await lanes.over_all(PostgresRecordedActs, RecordedActsOfLanes)

    @provide(scope=Scope.APP)
    async def all_figures(self, lanes: Lanes) -> MessagingFigures:
        return await lanes.over_all(PostgresMessagingFigures, FiguresOfLanes)

    @provide(scope=Scope.APP)
    async def all_standing(self, lanes: Lanes) -> StandingReading:
        return await lanes.over_all(PostgresStandingReading, StandingOfLanes)

    @provide(scope=Scope.APP)
    async def all_facts(self, lanes: Lanes) -> MessagingFacts:
        return await lanes.over_all(PostgresMessagingFacts, FactsOfLanes)

    @provide
    def replayed(self, uow: PostgresUnitOfWork, clock: Clock) -> Outbox[Parked]:
        return PostgresOutbox(uow, clock, encode_replayed, committed=lambda _: None)

    @provide
    def waiting(self, uow: PostgresUnitOfWork, clock: Clock) -> Outbox[Waiting]:
        return PostgresOutbox(uow, clock, encode_waiting, committed=lambda _: None)

    @provide(scope=LANE)
    def messaging_facts(self, engine: AsyncEngine) -> PostgresMessagingFacts:
        return PostgresMessagingFacts(engine, self._schema, first=self._engines[0])

    @provide(scope=Scope.APP)
    def read_overview(self, figures: MessagingFigures, bus: Bus, watchdog: Watchdog) -> ReadOverview:
        return ReadOverview(self._schema.service, VERSION, self._schema.revision, figures, bus, watchdog)

    @provide(scope=Scope.APP)
    def operate_parked(self, read: ReadParked, lanes: Lanes, clock: Clock) -> OperateParked:
        begin, hold, release = (
            InEachLane([scoped(lane, act) for lane in lanes.containers])
            for act in (BeginOperation, HoldCause, ReleaseCause)
        )
        return OperateParked(read, begin, hold, release, clock)

    @provide(scope=Scope.APP)
    def operate_consumer(
        self, reading: StandingReading, service: OwnName, lanes: Lanes, clock: Clock
    ) -> OperateConsumer:
        pause, resume = scoped(lanes.first, PauseConsumer), scoped(lanes.first, ResumeConsumer)
        return OperateConsumer(reading, service, pause, resume, clock)

    @provide(scope=Scope.APP)
    def watchdog(self, bus: Bus, intake: Intake, clock: Clock) -> Watchdog:
        databases = [pool.trouble for pool in pools_of(self._engines)]
        return Watchdog(bus, intake, databases, Trouble("rabbitmq", clock), clock)

    @provide(scope=Scope.APP)
    def messaging_metrics(self, telemetry: Telemetry, bus: Bus, service: OwnName) -> MessagingMetrics:
        return MessagingMetrics(telemetry.metrics.registry, bus.system, service)

    @provide(scope=Scope.APP)
    def publisher(self, telemetry: Telemetry, watchdog: Watchdog, metrics: MessagingMetrics) -> Publisher:
        return telemetry.publisher(metrics.publisher(watchdog))
