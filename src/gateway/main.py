import asyncio

from gateway.adapters.inbound.accounts import AccountsController, deposit_by_get
from gateway.adapters.inbound.events import watch_order
from gateway.adapters.inbound.notifications import StatusChanges
from gateway.adapters.inbound.orders import OrdersController, short_ways
from gateway.adapters.outbound.http_service import open_session
from gateway.adapters.outbound.neighbours import Neighbour
from gateway.application.hub import Hub
from gateway.application.place_orders import PlaceOrders
from gateway.wiring import assemble
from kernel.adapters.http.app import create_app
from kernel.adapters.http.cors import cors_config
from kernel.adapters.http.health import Probes
from kernel.adapters.http.openapi import Api
from kernel.adapters.http.short_way import with_short_ways
from kernel.adapters.telemetry.lifecycle import Lifecycle
from kernel.ports.bus import Notifications
from kernel.ports.clock import Clock
from kernel.serving import Background, run
from kernel.settings import Settings
from kernel.wiring import open_telemetry


def api(settings: Settings) -> Api:
    legacy = [deposit_by_get] if settings.shop_legacy_routes == "on" else []
    return Api(
        "Gateway",
        "The public door of the shop.",
        {"Accounts": "Accounts, deposits and balances.", "Orders": "Orders and their status."},
        routes=[AccountsController, *legacy, OrdersController, watch_order],
        ui_path="/index.html",
    )


async def serve(settings: Settings, notifications: Notifications, stop: asyncio.Event) -> None:
    """Run the gateway until `stop` is set. Raises ShopError where it cannot start."""

    async def notified() -> bool:
        return notifications.healthy

    async with (
        open_telemetry("gateway", settings.otel_exporter_otlp_endpoint) as telemetry,
        open_session() as session,
    ):
        container = assemble(settings, notifications, session, telemetry)
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
        ways = short_ways(await container.get(PlaceOrders), hub, clock)
        jobs: list[Background] = [hub, changes, *neighbours]
        servers = {
            "orders": settings.orders_url,
            "payments": settings.payments_url,
            "rabbitmq": settings.rabbitmq_url,
            "collector": settings.otel_exporter_otlp_endpoint,
        }
        await run(
            with_short_ways(app, ways),
            telemetry,
            settings,
            settings.gateway_port,
            stop,
            hub,
            cors=cors_config(settings.shop_cors_origins),
            root_path=settings.shop_root_path or "",
            lifecycle=Lifecycle("gateway", servers),
            jobs=jobs,
        )
