from kernel.adapters.http.app import create_app
from kernel.adapters.http.documents.openapi import Api
from kernel.adapters.http.middleware.fast_path import with_fast_paths
from kernel.adapters.http.operators.routes import TAG, operators_routes
from kernel.adapters.telemetry.lifecycle import Lifecycle
from kernel.application.consume import Consumer
from kernel.application.watchdog import Watchdog
from kernel.service import Host
from kernel.serving import run
from kernel.settings import lane_servers
from kernel.wiring.background import housekeeping, relays, subscribed
from kernel.wiring.database import databases
from kernel.wiring.figures import watch
from kernel.wiring.health import probes
from kernel.wiring.identity import open_identity
from kernel.wiring.rate_limits import open_rate_limits, probes_of
from kernel.wiring.telemetry import open_telemetry
from payments.adapters.inbound.claims import list_claims, read_claims, run_checks
from payments.adapters.inbound.http import AccountsController, admit_orders, deposit_by_get, fast_paths
from payments.adapters.inbound.operators import OperatedAccountsController, explain_payment
from payments.adapters.outbound.tables import SCHEMA
from payments.application.admit_orders import AdmitOrders
from payments.contract.operations import WRITTEN_BY_GET
from payments.contract.problems import PROBLEMS
from payments.domain.events import PaymentRequest
from payments.messaging import MESSAGING
from payments.settings import PaymentsSettings
from payments.wiring import assemble


def api(settings: PaymentsSettings) -> Api:
    legacy = [deposit_by_get] if settings.shop_legacy_routes == "on" else []
    operators = operators_routes(
        OperatedAccountsController, explain_payment, list_claims, read_claims, run_checks
    )
    return Api(
        "Payments",
        "Keeps accounts, takes deposits and pays orders.",
        {"Accounts": "Accounts, deposits and balances."} | TAG,
        routes=[AccountsController, admit_orders, *legacy, operators],
        ui_path="/swagger",
        problems=PROBLEMS,
    )


async def serve(settings: PaymentsSettings, host: Host) -> None:
    """Run the payments service until its host stops. Raises ShopError or SettingsError if it cannot start."""
    bus, stop = host.bus(), host.stop
    where = lane_servers(settings)
    servers = {
        "database": ",".join(server.url for server in where),
        "rabbitmq": settings.rabbitmq_url,
        "rate-limit": settings.shop_rate_limit_url,
        "collector": settings.otel_exporter_otlp_endpoint,
    }
    async with (
        open_telemetry("payments", settings.otel_exporter_otlp_endpoint, MESSAGING.subject) as telemetry,
        databases(where, SCHEMA) as engines,
        open_identity(settings, "payments") as identity,
        open_rate_limits(settings, "payments") as limits,
        bus,
    ):
        container = assemble(settings, engines, bus, telemetry)
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
        consumer = await subscribed(container, store, Consumer[PaymentRequest])
        await run(
            with_fast_paths(app, fast_paths(await container.get(AdmitOrders)), PROBLEMS),
            telemetry,
            settings,
            settings.port,
            stop,
            bus,
            written_by_get=WRITTEN_BY_GET,
            tokens=identity.tokens,
            rate_limits=limits,
            lifecycle=Lifecycle("payments", servers, schema=SCHEMA.revision),
            relays=await relays(container, MESSAGING.publishes, store, consumer),
            jobs=[*await housekeeping(container), *identity.jobs],
        )
