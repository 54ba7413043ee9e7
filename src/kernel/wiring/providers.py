"""The mechanisms of a service with a database and a bus, as dishka provides them."""

from importlib.metadata import version

from dishka import AnyOf, AsyncContainer, Provider, Scope, provide, provide_all
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.connections.pool import pool_of
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
from kernel.application.housekeeping import PruneInbox
from kernel.application.intake import Intake
from kernel.application.operate import BeginOperation, HoldCause, OperateParked, ReleaseCause
from kernel.application.pause_consumer import OperateConsumer, PauseConsumer, ResumeConsumer
from kernel.application.read_overview import ReadOverview
from kernel.application.read_parked import ReadParked
from kernel.application.read_record import ReadRecord
from kernel.application.relay import PublishCommitted, RelayEvents
from kernel.application.replay import HandleLetters, HandleReplayed, encode_replayed
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
from kernel.wiring.use_cases import scoped

VERSION = version("shop")


class KernelProvider(Provider):
    scope = Scope.REQUEST

    def __init__(self, schema: Schema, engine: AsyncEngine, bus: Bus, telemetry: Telemetry) -> None:
        super().__init__()
        self._schema = schema
        telemetry.messaging_system = bus.system
        self.provide(lambda: OwnName(schema.service), provides=OwnName, scope=Scope.APP)
        self.provide(lambda: engine, provides=AsyncEngine, scope=Scope.APP)
        self.provide(lambda: bus, provides=Bus, scope=Scope.APP)
        self.provide(lambda: telemetry, provides=Telemetry, scope=Scope.APP)

    uow = provide(PostgresUnitOfWork, provides=AnyOf[PostgresUnitOfWork, UnitOfWork])
    inbox = provide(PostgresInbox, provides=Inbox)
    parked = provide(PostgresParkedMessages, provides=ParkedMessages)
    discarded = provide(PostgresDiscardedMessages, provides=DiscardedMessages)
    held = provide(PostgresHeldCauses, provides=HeldCauses)
    operations = provide(PostgresOperations, provides=Operations)
    reading = provide(PostgresParkedReading, provides=ParkedReading, scope=Scope.APP)
    read_parked = provide(ReadParked, scope=Scope.APP)
    backlog = provide(PostgresBacklog, provides=Backlog)
    record = provide(PostgresOperatorRecord, provides=OperatorRecord)
    recorded_acts = provide(PostgresRecordedActs, provides=RecordedActs, scope=Scope.APP)
    figures = provide(PostgresMessagingFigures, provides=MessagingFigures, scope=Scope.APP)
    read_record = provide(ReadRecord, scope=Scope.APP)
    use_cases = provide_all(
        PublishCommitted,
        RelayEvents,
        RelayToConsumer,
        ParkMessage,
        HandleReplayed,
        HandleLetters,
        PruneInbox,
        WorkOff,
        BeginOperation,
        HoldCause,
        ReleaseCause,
        PauseConsumer,
        ResumeConsumer,
    )
    pauses = provide(PostgresPauses, provides=Pauses)
    standing = provide(PostgresStandingReading, provides=StandingReading, scope=Scope.APP)
    intake = provide(Intake, scope=Scope.APP)
    clock = provide(SystemClock, provides=Clock, scope=Scope.APP)
    dispatcher = provide(RelayDispatcher, scope=Scope.APP)

    @provide
    def replayed(self, uow: PostgresUnitOfWork, clock: Clock) -> Outbox[Parked]:
        return PostgresOutbox(uow, clock, encode_replayed, committed=lambda _: None)

    @provide(scope=Scope.APP)
    def messaging_facts(self, engine: AsyncEngine) -> MessagingFacts:
        return PostgresMessagingFacts(engine, self._schema)

    @provide(scope=Scope.APP)
    def read_overview(self, figures: MessagingFigures, bus: Bus, watchdog: Watchdog) -> ReadOverview:
        return ReadOverview(self._schema.service, VERSION, self._schema.revision, figures, bus, watchdog)

    @provide(scope=Scope.APP)
    def operate_parked(self, read: ReadParked, container: AsyncContainer, clock: Clock) -> OperateParked:
        begin, hold = scoped(container, BeginOperation), scoped(container, HoldCause)
        return OperateParked(read, begin, hold, scoped(container, ReleaseCause), clock)

    @provide(scope=Scope.APP)
    def operate_consumer(
        self, reading: StandingReading, service: OwnName, container: AsyncContainer, clock: Clock
    ) -> OperateConsumer:
        pause, resume = scoped(container, PauseConsumer), scoped(container, ResumeConsumer)
        return OperateConsumer(reading, service, pause, resume, clock)

    @provide(scope=Scope.APP)
    def watchdog(self, engine: AsyncEngine, bus: Bus, intake: Intake, clock: Clock) -> Watchdog:
        return Watchdog(bus, intake, pool_of(engine).trouble, Trouble("rabbitmq", clock), clock)

    @provide(scope=Scope.APP)
    def messaging_metrics(self, telemetry: Telemetry, bus: Bus, service: OwnName) -> MessagingMetrics:
        return MessagingMetrics(telemetry.metrics.registry, bus.system, service)

    @provide(scope=Scope.APP)
    def publisher(self, telemetry: Telemetry, watchdog: Watchdog, metrics: MessagingMetrics) -> Publisher:
        return telemetry.publisher(metrics.publisher(watchdog))
