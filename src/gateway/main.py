import asyncio

from gateway.adapters.inbound.accounts import AccountsController, deposit_by_get
from gateway.adapters.inbound.orders import OrdersController
from gateway.adapters.outbound.http_service import open_session
from gateway.wiring import assemble
from kernel.adapters.http.app import create_app
from kernel.adapters.http.cors import cors_config
from kernel.adapters.http.health import Probes
from kernel.adapters.http.openapi import openapi_config
from kernel.settings import Settings
from kernel.wiring import open_telemetry, run

OPENAPI = openapi_config(
    "Gateway",
    "The public door of the shop.",
    {
        "Accounts": "Accounts, deposits and balances.",
        "Orders": "Orders and their status.",
        "Health": "For operators and orchestrators.",
    },
)


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Run the gateway until `stop` is set. Raises ShopError where it cannot start."""
    async with (
        open_telemetry("gateway", settings.otel_exporter_otlp_endpoint) as telemetry,
        open_session() as session,
    ):
        container = assemble(settings, session, telemetry)
        legacy = [deposit_by_get] if settings.shop_legacy_routes == "on" else []
        app = create_app(
            routes=[AccountsController, *legacy, OrdersController],
            openapi=OPENAPI,
            ui_path="/index.html",
            probes=Probes(stop=stop),
            exposition=telemetry.exposition,
            container=container,
            cors=cors_config(settings.shop_cors_origins),
        )
        await run(app, telemetry, settings.bind_host, settings.gateway_port, stop)
        await container.close()
