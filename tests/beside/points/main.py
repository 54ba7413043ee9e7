from collections.abc import Sequence
from functools import partial

from dishka import AsyncContainer, Provider, Scope, provide
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.http.app import create_app
from kernel.adapters.http.documents.openapi import Api
from kernel.adapters.http.operators.routes import TAG, operators_routes
from kernel.adapters.postgres.messages.outbox import PostgresOutbox
from kernel.adapters.postgres.statements.unit_of_work import PostgresUnitOfWork
from kernel.adapters.telemetry.lifecycle import Lifecycle
from kernel.adapters.telemetry.telemetry import Telemetry
from kernel.application.consume import Consumer, ParkMessage
from kernel.application.watchdog import Watchdog
from kernel.contracts.problems import COMMON
from kernel.ports.bus import Bus
from kernel.ports.clock import Clock
from kernel.ports.inbox import Inbox
from kernel.service import Host
from kernel.serving import run
from kernel.settings import required
from kernel.wiring.background import RelayDispatcher, housekeeping, relays, subscribed
from kernel.wiring.database import database
from kernel.wiring.figures import watch
from kernel.wiring.health import probes
from kernel.wiring.identity import open_identity
from kernel.wiring.lanes import LANE, assembled
from kernel.wiring.providers import KernelProvider
from kernel.wiring.rate_limits import open_rate_limits, probes_of
from kernel.wiring.telemetry import open_telemetry
from kernel.wiring.use_cases import scoped
from points import wire
from points.domain import PaymentCaptured
from points.earn_points import EarnPoints
from points.http import get_points
from points.messaging import MESSAGING
from points.postgres import PostgresPoints, nothing_is_parked
from points.settings import PointsSettings
from points.tables import SCHEMA


class PointsProvider(Provider):
    scope = Scope.REQUEST

    def __init__(self, settings: PointsSettings, telemetry: Telemetry) -> None:
        super().__init__()
        self._settings = settings
        self._telemetry = telemetry

    @provide
    def earn_points(
        self, uow: PostgresUnitOfWork, inbox: Inbox, clock: Clock, dispatcher: RelayDispatcher
    ) -> EarnPoints:
        outbox = PostgresOutbox(uow, clock, wire.encode, dispatcher)
        return EarnPoints(uow, inbox, PostgresPoints(uow), outbox, self._settings.points_per_payment)

    @provide(scope=LANE)
    def consumer(self, container: AsyncContainer, clock: Clock) -> Consumer[PaymentCaptured]:
        earn_points = self._telemetry.batches("earn_points", scoped(container, EarnPoints), "consumer")
        return Consumer(wire.decode, earn_points, scoped(container, ParkMessage), clock)


def assemble(
    settings: PointsSettings, engines: Sequence[AsyncEngine], bus: Bus, telemetry: Telemetry
) -> AsyncContainer:
    return assembled(KernelProvider(SCHEMA, engines, bus, telemetry), PointsProvider(settings, telemetry))


def api(_: PointsSettings) -> Api:
    return Api(
        "Points",
        "Gives points for what was paid.",
        {"Points": "The points of users."} | TAG,
        routes=[get_points, operators_routes()],
        ui_path="/swagger",
        problems=COMMON,
    )


async def serve(settings: PointsSettings, host: Host) -> None:
    bus, url = host.bus(), required(settings, "database_url")
    async with (
        open_telemetry("points", settings.otel_exporter_otlp_endpoint) as telemetry,
        database(url, SCHEMA) as engine,
        open_identity(settings, "points") as identity,
        open_rate_limits(settings, "points") as limits,
        bus,
    ):
        container = assemble(settings, [engine], bus, telemetry)
        watchdog = await container.get(Watchdog)
        store = watch(telemetry, MESSAGING.publishes, [engine], watchdog)
        host.expose(telemetry.exposition)
        app = create_app(
            api(settings),
            asyncapi=host.asyncapi,
            probes=probes(
                [engine],
                SCHEMA.revision,
                watchdog,
                host.stop,
                parked=partial(nothing_is_parked, engine),
                **probes_of(limits),
            ),
            exposition=telemetry.exposition,
            container=container,
        )
        consumer = await subscribed(container, store, Consumer[PaymentCaptured])
        await run(
            app,
            telemetry,
            settings,
            settings.port,
            host.stop,
            bus,
            tokens=identity.tokens,
            rate_limits=limits,
            lifecycle=Lifecycle("points", {"database": url}, schema=SCHEMA.revision),
            relays=await relays(container, MESSAGING.publishes, store, consumer),
            jobs=[*await housekeeping(container), *identity.jobs],
        )
