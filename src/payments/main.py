import asyncio

from kernel.adapters.http.app import create_app
from kernel.adapters.http.openapi import VERSION, Api
from kernel.adapters.http.short_way import with_short_ways
from kernel.adapters.rabbit.asyncapi import asyncapi
from kernel.adapters.telemetry.lifecycle import Lifecycle
from kernel.application.consume import Consumer
from kernel.application.watchdog import Watchdog
from kernel.ports.bus import Bus
from kernel.serving import run
from kernel.settings import Settings, required
from kernel.wiring import database, housekeeping, open_telemetry, probes, relays, watch
from payments.adapters.inbound.http import AccountsController, admit_orders, deposit_by_get, short_ways
from payments.adapters.outbound.tables import SCHEMA, SCHEMA_REVISION
from payments.application.admit_orders import AdmitOrders
from payments.domain.events import Question
from payments.wiring import assemble


def api(settings: Settings) -> Api:
    legacy = [deposit_by_get] if settings.shop_legacy_routes == "on" else []
    return Api(
        "Payments",
        "Keeps accounts, takes deposits and pays orders.",
        {"Accounts": "Accounts, deposits and balances."},
        routes=[AccountsController, admit_orders, *legacy],
        ui_path="/swagger",
        asyncapi=asyncapi("payments", VERSION),
    )


async def serve(settings: Settings, bus: Bus, stop: asyncio.Event) -> None:
    """Run the payments service until `stop` is set. Raises ShopError or SettingsError if it cannot start."""
    url = required(settings, "payments_database_url")
    servers = {
        "database": url,
        "rabbitmq": settings.rabbitmq_url,
        "collector": settings.otel_exporter_otlp_endpoint,
    }
    async with (
        open_telemetry("payments", settings.otel_exporter_otlp_endpoint) as telemetry,
        database(url, SCHEMA) as engine,
        bus,
    ):
        container = assemble(settings, engine, bus, telemetry)
        watchdog = await container.get(Watchdog)
        store = watch(telemetry, "payments", engine, watchdog)
        app = create_app(
            api(settings),
            probes=probes(engine, SCHEMA_REVISION, watchdog, stop),
            exposition=telemetry.exposition,
            container=container,
        )
        consumer = watchdog.handling(store.consuming(await container.get(Consumer[Question])))
        await bus.subscribe(consumer)
        await run(
            with_short_ways(app, short_ways(await container.get(AdmitOrders))),
            telemetry,
            settings,
            settings.payments_port,
            stop,
            bus,
            lifecycle=Lifecycle("payments", servers, schema=SCHEMA_REVISION),
            relays=await relays(container, "payments", store, consumer),
            jobs=[*await housekeeping(container)],
        )
