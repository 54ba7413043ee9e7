from kernel.adapters.http.documents.openapi import Api
from kernel.adapters.http.operators.routes import TAG, operators_routes
from kernel.application.consume import Consumer
from kernel.application.housekeeping import Periodically
from kernel.application.notifier import BackgroundNotifier
from kernel.ports.clock import Clock
from kernel.service import Host
from kernel.wiring.background import in_each_lane
from kernel.wiring.lanes import Lanes
from kernel.wiring.open_service import open_service
from kernel.wiring.use_cases import scoped
from orders.adapters.inbound.http import OperatedOrdersController, OrdersController
from orders.adapters.inbound.operators import HANDLERS
from orders.adapters.inbound.placement_handler import PlacementHandler, fast_paths
from orders.adapters.outbound.http_admission import open_session
from orders.adapters.outbound.tables import SCHEMA
from orders.application.ask_again import AskAgain
from orders.application.prune_figures import PruneFigures
from orders.application.run_audit import BegunAudits
from orders.contract.problems import PROBLEMS
from orders.domain.events import PaymentResult
from orders.domain.order import OrderStatusChanged
from orders.messaging import MESSAGING
from orders.settings import OrdersSettings
from orders.wiring import OrdersProvider

ASK_AGAIN_EVERY_S = 1.0
PRUNE_FIGURES_EVERY_S = 600.0


def api(_: OrdersSettings) -> Api:
    return Api(
        "Orders",
        "Places orders, starts their payment, and reports their status.",
        {"Orders": "Orders and their status."} | TAG,
        routes=[OrdersController, operators_routes(OperatedOrdersController, *HANDLERS)],
        ui_path="/swagger",
        problems=PROBLEMS,
    )


async def serve(settings: OrdersSettings, host: Host) -> None:
    """Runs the orders service until its host stops. Raises ShopError or SettingsError if it cannot start."""
    async with open_session() as session, open_service(settings, host, MESSAGING, SCHEMA) as service:
        container = service.assemble(OrdersProvider(settings, session, service.telemetry, service.identity))
        first_lane, clock = (await container.get(Lanes)).first, await container.get(Clock)
        await service.run(
            container,
            api(settings),
            settings.port,
            Consumer[PaymentResult],
            fast_paths=fast_paths(await container.get(PlacementHandler)),
            calls={"payments": settings.payments_url},
            jobs=[
                *await in_each_lane(container, AskAgain, ASK_AGAIN_EVERY_S),
                Periodically(scoped(first_lane, PruneFigures), PRUNE_FIGURES_EVERY_S, clock),
                await container.get(BegunAudits),
                await container.get(BackgroundNotifier[OrderStatusChanged]),
            ],
        )
