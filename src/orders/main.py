from kernel.adapters.http.app import create_app
from kernel.adapters.http.documents.openapi import Api
from kernel.adapters.http.middleware.fast_path import with_fast_paths
from kernel.adapters.http.operators.routes import TAG, operators_routes
from kernel.adapters.telemetry.lifecycle import Lifecycle
from kernel.application.consume import Consumer
from kernel.application.housekeeping import Periodically
from kernel.application.notifier import BackgroundNotifier
from kernel.application.watchdog import Watchdog
from kernel.ports.clock import Clock
from kernel.service import Host
from kernel.serving import run
from kernel.settings import lane_servers
from kernel.wiring.background import housekeeping, in_each_lane, relays, subscribed
from kernel.wiring.database import databases
from kernel.wiring.figures import watch
from kernel.wiring.health import probes
from kernel.wiring.identity import open_identity
from kernel.wiring.lanes import Lanes
from kernel.wiring.rate_limits import open_rate_limits, probes_of
from kernel.wiring.telemetry import open_telemetry
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
from orders.wiring import assemble

ASK_AGAIN_EVERY_S = 1.0
PRUNE_FIGURES_EVERY_S = 600.0


def api(_: OrdersSettings) -> Api:
    return Api(
        "Orders",
        "Places orders, which starts their payment, and tells their status.",
        {"Orders": "Orders and their status."} | TAG,
        routes=[OrdersController, operators_routes(OperatedOrdersController, *HANDLERS)],
        ui_path="/swagger",
        problems=PROBLEMS,
    )


async def serve(settings: OrdersSettings, host: Host) -> None:
    """Run the orders service until its host stops. Raises ShopError or SettingsError if it cannot start."""
    bus, stop = host.bus(), host.stop
    where = lane_servers(settings)
    servers = {
        "database": ",".join(server.url for server in where),
        "rabbitmq": settings.rabbitmq_url,
        "payments": settings.payments_url,
        "rate-limit": settings.shop_rate_limit_url,
        "collector": settings.otel_exporter_otlp_endpoint,
    }
    async with (
        open_telemetry("orders", settings.otel_exporter_otlp_endpoint, MESSAGING.subject) as telemetry,
        databases(where, SCHEMA) as engines,
        open_session() as session,
        open_identity(settings, "orders") as identity,
        open_rate_limits(settings, "orders") as limits,
        bus,
    ):
        container = assemble(settings, engines, bus, session, telemetry, identity)
        watchdog = await container.get(Watchdog)
        store = watch(telemetry, MESSAGING.publishes, engines, watchdog)
        host.expose(telemetry.exposition)
        app = create_app(
            api(settings),
            asyncapi=host.asyncapi,
            probes=probes(engines, SCHEMA.revision, watchdog, stop, **probes_of(limits)),
            exposition=telemetry.exposition,
            container=container,
        )
        first_lane, clock = (await container.get(Lanes)).first, await container.get(Clock)
        consumer = await subscribed(container, store, Consumer[PaymentResult])
        await run(
            with_fast_paths(app, fast_paths(await container.get(PlacementHandler)), PROBLEMS),
            telemetry,
            settings,
            settings.port,
            stop,
            bus,
            tokens=identity.tokens,
            rate_limits=limits,
            lifecycle=Lifecycle("orders", servers, schema=SCHEMA.revision),
            relays=await relays(container, MESSAGING.publishes, store, consumer),
            jobs=[
                *await housekeeping(container),
                *await in_each_lane(container, AskAgain, ASK_AGAIN_EVERY_S),
                Periodically(scoped(first_lane, PruneFigures), PRUNE_FIGURES_EVERY_S, clock),
                await container.get(BegunAudits),
                *identity.jobs,
                await container.get(BackgroundNotifier[OrderStatusChanged]),
            ],
        )
