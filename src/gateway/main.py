from gateway.adapters.inbound.accounts import AccountsController, deposit_by_get
from gateway.adapters.inbound.answers import PROBLEMS
from gateway.adapters.inbound.events import STREAMS, watch_order
from gateway.adapters.inbound.notifications import StatusChanges
from gateway.adapters.inbound.orders import OrdersController, PlaceOrderHandler, fast_paths
from gateway.adapters.outbound.http_service import open_session
from gateway.adapters.outbound.neighbours import Neighbour
from gateway.application.hub import Hub
from gateway.settings import GatewaySettings
from gateway.wiring import assemble
from kernel.adapters.http.app import create_app
from kernel.adapters.http.documents.openapi import Api
from kernel.adapters.http.health import Probes
from kernel.adapters.http.middleware.cors import cors_config
from kernel.adapters.http.middleware.fast_path import with_fast_paths
from kernel.adapters.telemetry.lifecycle import Lifecycle
from kernel.ports.clock import Clock
from kernel.service import Host
from kernel.serving import Background, run
from kernel.wiring.identity import open_identity
from kernel.wiring.telemetry import open_telemetry
from payments.contract.operations import WRITTEN_BY_GET


def api(settings: GatewaySettings) -> Api:
    legacy = [deposit_by_get] if settings.shop_legacy_routes == "on" else []
    return Api(
        "Gateway",
        "The public door of the shop.",
        {"Accounts": "Accounts, deposits and balances.", "Orders": "Orders and their status."},
        routes=[AccountsController, *legacy, OrdersController, watch_order],
        ui_path="/index.html",
        problems=PROBLEMS,
    )


async def serve(settings: GatewaySettings, host: Host) -> None:
    """Run the gateway until its host stops. Raises ShopError where it cannot start."""
    notifications, stop = host.notifications(), host.stop

    async def notified() -> bool:
        return notifications.healthy

    async with (
        open_telemetry("gateway", settings.otel_exporter_otlp_endpoint) as telemetry,
        open_session() as session,
        open_identity(settings, "gateway") as identity,
    ):
        container = assemble(settings, notifications, session, telemetry, identity)
        clock = await container.get(Clock)
        neighbours = [
            Neighbour("orders", settings.orders_url, clock, stop),
            Neighbour("payments", settings.payments_url, clock, stop),
        ]
        app = create_app(
            api(settings),
            probes=Probes(
                helpful={"rabbitmq": notified, **{one.name: one.is_ready for one in neighbours}}, stop=stop
            ),
            exposition=telemetry.exposition,
            container=container,
        )
        hub, changes = await container.get(Hub), await container.get(StatusChanges)
        paths = fast_paths(await container.get(PlaceOrderHandler))
        jobs: list[Background] = [hub, changes, *neighbours, *identity.jobs]
        servers = {
            "orders": settings.orders_url,
            "payments": settings.payments_url,
            "rabbitmq": settings.rabbitmq_url,
            "collector": settings.otel_exporter_otlp_endpoint,
        }
        await run(
            with_fast_paths(app, paths, PROBLEMS),
            telemetry,
            settings,
            settings.port,
            stop,
            hub,
            tokens=identity.tokens,
            cors=cors_config(settings.shop_cors_origins),
            root_path=settings.shop_root_path or "",
            written_by_get=WRITTEN_BY_GET,
            streams=STREAMS,
            lifecycle=Lifecycle("gateway", servers),
            jobs=jobs,
        )
