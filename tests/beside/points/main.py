from functools import partial

from dishka import AsyncContainer, Provider, Scope, provide

from kernel.adapters.http.documents.openapi import Api
from kernel.adapters.http.operators.routes import TAG, operators_routes
from kernel.adapters.postgres.messages.outbox import PostgresOutbox
from kernel.adapters.postgres.statements.unit_of_work import PostgresUnitOfWork
from kernel.adapters.telemetry.telemetry import Telemetry
from kernel.application.consume import Consumer, ParkMessage
from kernel.contracts.problems import COMMON
from kernel.ports.clock import Clock
from kernel.ports.inbox import Inbox
from kernel.service import Host
from kernel.wiring.background import RelayDispatcher
from kernel.wiring.lanes import LANE
from kernel.wiring.open_service import open_service
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
    async with open_service(settings, host, MESSAGING, SCHEMA) as service:
        (engine,) = service.engines
        await service.run(
            service.assemble(PointsProvider(settings, service.telemetry)),
            api(settings),
            settings.port,
            Consumer[PaymentCaptured],
            helpful={"parked": partial(nothing_is_parked, engine)},
        )
