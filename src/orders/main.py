import asyncio

import aiohttp

from kernel.adapters.http.app import create_app
from kernel.adapters.http.openapi import openapi_config
from kernel.application.consume import Consumer
from kernel.ports.bus import Bus
from kernel.settings import Settings, required
from kernel.wiring import database, probes, relays, run
from orders.adapters.inbound.http import OrdersController
from orders.adapters.outbound.tables import SCHEMA_REVISION
from orders.domain.order import PaymentDecided
from orders.wiring import assemble

OPENAPI = openapi_config(
    "Orders",
    "Places orders, which starts their payment, and tells their status.",
    {"Orders": "Orders and their status.", "Health": "For operators and orchestrators."},
)


async def serve(settings: Settings, bus: Bus, stop: asyncio.Event) -> None:
    """Run the orders service until `stop` is set. Raises ShopError or SettingsError if it cannot start."""
    url = required(settings, "orders_database_url")
    async with (
        database(url, "orders", SCHEMA_REVISION) as engine,
        aiohttp.ClientSession() as session,
        bus,
    ):
        container = assemble(settings, engine, bus, session)
        app = create_app(
            routes=[OrdersController],
            openapi=OPENAPI,
            ui_path="/swagger",
            probes=probes(engine, SCHEMA_REVISION, bus),
            container=container,
        )
        await bus.subscribe(await container.get(Consumer[PaymentDecided]))
        await run(app, settings.bind_host, settings.orders_port, await relays(container, "orders"), stop, bus)
