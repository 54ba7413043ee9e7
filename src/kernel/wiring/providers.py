"""The mechanisms of a service with a database and a bus, as dishka provides them."""

from dishka import AnyOf, AsyncContainer, Provider, Scope, provide, provide_all
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.connections.pool import pool_of
from kernel.adapters.postgres.messages.inbox import PostgresInbox
from kernel.adapters.postgres.messages.outbox import PostgresBacklog
from kernel.adapters.postgres.messages.parked import PostgresParkedMessages
from kernel.adapters.postgres.operator_record import PostgresOperatorRecord
from kernel.adapters.postgres.statements.unit_of_work import PostgresUnitOfWork
from kernel.adapters.system_clock import SystemClock
from kernel.adapters.telemetry.telemetry import Telemetry
from kernel.application.consume import ParkMessage
from kernel.application.fan_out import RelayToConsumer
from kernel.application.housekeeping import PruneInbox
from kernel.application.operate import HandleReplayed
from kernel.application.relay import PublishCommitted, RelayEvents
from kernel.application.replay_letters import HandleLetters
from kernel.application.trouble import Trouble
from kernel.application.watchdog import WaitingSince, Watchdog
from kernel.ports.bus import Bus, Publisher
from kernel.ports.clock import Clock
from kernel.ports.inbox import Inbox
from kernel.ports.operator_record import OperatorRecord
from kernel.ports.outbox import Backlog
from kernel.ports.parked import ParkedMessages
from kernel.ports.unit_of_work import UnitOfWork
from kernel.wiring.background import RelayDispatcher
from kernel.wiring.use_cases import scoped


class KernelProvider(Provider):
    scope = Scope.REQUEST

    def __init__(self, engine: AsyncEngine, bus: Bus, telemetry: Telemetry) -> None:
        super().__init__()
        self.provide(lambda: engine, provides=AsyncEngine, scope=Scope.APP)
        self.provide(lambda: bus, provides=Bus, scope=Scope.APP)
        self.provide(lambda: telemetry, provides=Telemetry, scope=Scope.APP)

    uow = provide(PostgresUnitOfWork, provides=AnyOf[PostgresUnitOfWork, UnitOfWork])
    inbox = provide(PostgresInbox, provides=Inbox)
    parked = provide(PostgresParkedMessages, provides=ParkedMessages)
    backlog = provide(PostgresBacklog, provides=Backlog)
    record = provide(PostgresOperatorRecord, provides=OperatorRecord)
    use_cases = provide_all(
        PublishCommitted,
        RelayEvents,
        RelayToConsumer,
        ParkMessage,
        HandleReplayed,
        HandleLetters,
        PruneInbox,
        WaitingSince,
    )
    clock = provide(SystemClock, provides=Clock, scope=Scope.APP)
    dispatcher = provide(RelayDispatcher, scope=Scope.APP)

    @provide(scope=Scope.APP)
    def watchdog(self, engine: AsyncEngine, bus: Bus, container: AsyncContainer, clock: Clock) -> Watchdog:
        database, rabbitmq = pool_of(engine).trouble, Trouble("rabbitmq", clock)
        return Watchdog(bus, scoped(container, WaitingSince), database, rabbitmq, clock)

    @provide(scope=Scope.APP)
    def publisher(self, telemetry: Telemetry, watchdog: Watchdog) -> Publisher:
        return telemetry.publisher(watchdog)
