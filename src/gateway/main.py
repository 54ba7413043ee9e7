from gateway.adapters.inbound.accounts import AccountsController, deposit_by_get
from gateway.adapters.inbound.answers import PROBLEMS
from gateway.adapters.inbound.cookie_sessions import PATH, CookieSessions
from gateway.adapters.inbound.events import STREAMS, watch_order
from gateway.adapters.inbound.notifications import StatusChanges
from gateway.adapters.inbound.ops.routes import TAG, ops_routes
from gateway.adapters.inbound.orders import OrdersController, PlaceOrderHandler, fast_paths
from gateway.adapters.inbound.pages.routes import PATH as PAGES
from gateway.adapters.inbound.pages.routes import pages
from gateway.adapters.inbound.session import CALLBACK, LOGIN, SessionController
from gateway.adapters.inbound.session_operations import SESSION_CHANGES
from gateway.adapters.outbound.http_service import open_session
from gateway.adapters.outbound.neighbours import Neighbour
from gateway.application.hub import Hub
from gateway.settings import GatewaySettings
from gateway.wiring import GatewayProvider, assemble
from kernel.adapters.http.app import create_app
from kernel.adapters.http.documents.openapi import Api
from kernel.adapters.http.health import Probes
from kernel.adapters.http.middleware.cors import cors_config
from kernel.adapters.http.middleware.fast_path import with_fast_paths
from kernel.adapters.http.middleware.identity import CookieAuthentication
from kernel.adapters.telemetry.lifecycle import Lifecycle
from kernel.ports.clock import Clock
from kernel.service import Host
from kernel.serving import Background, run
from kernel.wiring.identity import open_identity
from kernel.wiring.rate_limits import open_rate_limits, probes_of
from kernel.wiring.telemetry import open_telemetry
from payments.contract.operations import WRITTEN_BY_GET


def api(settings: GatewaySettings) -> Api:
    legacy = [deposit_by_get] if settings.shop_legacy_routes == "on" else []
    return Api(
        "Gateway",
        f"The public entry point of the shop.\n\n{SESSION_CHANGES}",
        {
            "Accounts": "Accounts, deposits and balances.",
            "Orders": "Orders and their status.",
            "Session": "For pages: a cookie instead of a bearer token.",
        }
        | TAG,
        routes=[AccountsController, *legacy, OrdersController, watch_order, SessionController, ops_routes()],
        ui_path="/index.html",
        problems=PROBLEMS,
        pages=[pages()],
    )


async def serve(settings: GatewaySettings, host: Host) -> None:
    """Runs the gateway until its host stops. Raises ShopError or SettingsError if it cannot start."""
    notifications, stop = host.notifications(), host.stop

    async def notified() -> bool:
        return notifications.healthy

    async with (
        open_telemetry("gateway", settings.otel_exporter_otlp_endpoint) as telemetry,
        open_session() as session,
        open_identity(settings, "gateway") as identity,
        open_rate_limits(settings, "gateway") as limits,
    ):
        container = assemble(
            GatewayProvider(settings, notifications, session, telemetry, identity, host.operated)
        )
        clock = await container.get(Clock)
        neighbours = [
            Neighbour("orders", settings.orders_url, clock, stop),
            Neighbour("payments", settings.payments_url, clock, stop),
        ]
        host.expose(telemetry.exposition)
        app = create_app(
            api(settings),
            probes=Probes(
                helpful={
                    "rabbitmq": notified,
                    **{one.name: one.is_ready for one in neighbours},
                    **probes_of(limits),
                },
                stop=stop,
            ),
            exposition=telemetry.exposition,
            container=container,
        )
        hub, changes = await container.get(Hub), await container.get(StatusChanges)
        paths = fast_paths(await container.get(PlaceOrderHandler))
        sessions = await container.get(CookieSessions)
        jobs: list[Background] = [hub, changes, *neighbours, *identity.jobs]
        servers = {
            "orders": settings.orders_url,
            "payments": settings.payments_url,
            "rabbitmq": settings.rabbitmq_url,
            "rate-limit": settings.shop_rate_limit_url,
            "collector": settings.otel_exporter_otlp_endpoint,
        }
        await run(
            with_fast_paths(app, paths, PROBLEMS),
            telemetry,
            settings,
            settings.port,
            stop,
            hub.stop,
            tokens=identity.tokens,
            cookies=CookieAuthentication(
                sessions.token_of, open_to_all=(LOGIN, CALLBACK), read_by_all=PATH, page_files=f"{PAGES}/"
            ),
            rate_limits=limits,
            cors=cors_config(settings.shop_cors_origins),
            root_path=settings.shop_root_path or "",
            written_by_get=WRITTEN_BY_GET,
            streams=(*STREAMS, LOGIN, CALLBACK),  # Signing in waits for a provider.
            lifecycle=Lifecycle("gateway", servers),
            jobs=jobs,
        )
