import asyncio

from kernel.adapters.http.app import create_app
from kernel.adapters.http.openapi import VERSION, Api
from kernel.adapters.http.short_way import with_short_ways
from kernel.adapters.rabbit.asyncapi import asyncapi
from kernel.adapters.telemetry.lifecycle import Lifecycle
from kernel.application.consume import Consumer
from kernel.application.housekeeping import Periodically
from kernel.application.tell import Teller
from kernel.application.watchdog import Watchdog
from kernel.ports.bus import Bus
from kernel.ports.clock import Clock
from kernel.serving import run
from kernel.settings import Settings, required
from kernel.wiring import database, housekeeping, in_scope, open_telemetry, probes, relays, watch
from orders.adapters.inbound.http import OrdersController
from orders.adapters.inbound.placing import Placing, short_ways
from orders.adapters.outbound.http_admission import open_session
from orders.adapters.outbound.tables import SCHEMA, SCHEMA_REVISION
from orders.application.ask_again import AskAgain
from orders.domain.events import PaymentDecided
from orders.domain.order import OrderStatusChanged
from orders.wiring import assemble

ASK_AGAIN_EVERY_S = 1.0


def api(_: Settings) -> Api:
    return Api(
        "Orders",
        "Places orders, which starts their payment, and tells their status.",
        {"Orders": "Orders and their status."},
        routes=[OrdersController],
        ui_path="/swagger",
        asyncapi=asyncapi("orders", VERSION),
    )


async def serve(settings: Settings, bus: Bus, stop: asyncio.Event) -> None:
    """Run the orders service until `stop` is set. Raises ShopError or SettingsError if it cannot start."""
    url = required(settings, "orders_database_url")
    servers = {
        "database": url,
        "rabbitmq": settings.rabbitmq_url,
        "payments": settings.payments_url,
        "collector": settings.otel_exporter_otlp_endpoint,
    }
    async with (
        open_telemetry("orders", settings.otel_exporter_otlp_endpoint) as telemetry,
        database(url, SCHEMA) as engine,
        open_session() as session,
        bus,
    ):
        container = assemble(settings, engine, bus, session, telemetry)
        watchdog = await container.get(Watchdog)
        store = watch(telemetry, "orders", engine, watchdog)
        app = create_app(
            api(settings),
            probes=probes(engine, SCHEMA_REVISION, watchdog, stop),
            exposition=telemetry.exposition,
            container=container,
        )
        ask_again = Periodically(in_scope(container, AskAgain), ASK_AGAIN_EVERY_S, await container.get(Clock))
        consumer = watchdog.handling(store.consuming(await container.get(Consumer[PaymentDecided])))
        await bus.subscribe(consumer)
        await run(
            with_short_ways(app, short_ways(await container.get(Placing))),
            telemetry,
            settings,
            settings.orders_port,
            stop,
            bus,
            lifecycle=Lifecycle("orders", servers, schema=SCHEMA_REVISION),
            relays=await relays(container, "orders", store, consumer),
            jobs=[*await housekeeping(container), ask_again, await container.get(Teller[OrderStatusChanged])],
        )
