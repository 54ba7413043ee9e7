"""Opens what a service with a database and a bus needs, and runs the service until its host stops."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from dishka import AsyncContainer, Provider
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.http.app import create_app
from kernel.adapters.http.documents.openapi import Api
from kernel.adapters.http.health import Probe
from kernel.adapters.http.middleware.fast_path import FastPath, with_fast_paths
from kernel.adapters.postgres.tables import Schema
from kernel.adapters.telemetry.lifecycle import Lifecycle
from kernel.adapters.telemetry.telemetry import Telemetry
from kernel.application.consume import Consumer
from kernel.application.watchdog import Watchdog
from kernel.contracts.messaging import Messaging
from kernel.domain.value import value
from kernel.lane_servers import LaneServer, lane_servers, say_what_is_not_used
from kernel.ports.bus import Bus
from kernel.ports.rate_limits import RateLimits
from kernel.service import Host
from kernel.serving import Background, run
from kernel.settings import Settings
from kernel.wiring.background import E, housekeeping, relays, subscribed
from kernel.wiring.database import databases
from kernel.wiring.figures import watch
from kernel.wiring.health import probes
from kernel.wiring.identity import Identity, open_identity
from kernel.wiring.lanes import assembled
from kernel.wiring.providers import KernelProvider
from kernel.wiring.rate_limits import open_rate_limits, probes_of
from kernel.wiring.telemetry import open_telemetry


@value(kw_only=True)
class OpenService:
    settings: Settings
    host: Host
    messaging: Messaging
    schema: Schema
    servers: Sequence[LaneServer]
    engines: Sequence[AsyncEngine]
    """One engine for each lane, in the order of the lanes' numbers."""
    bus: Bus
    telemetry: Telemetry
    identity: Identity
    limits: RateLimits | None

    def assemble(self, provider: Provider) -> AsyncContainer:
        """Makes a container with the kernel's parts and the parts of the service's own provider."""
        kernel = KernelProvider(self.schema, self.engines, self.bus, self.telemetry)
        return assembled(kernel, provider)

    async def run(
        self,
        container: AsyncContainer,
        api: Api,
        port: int,
        consumer: type[Consumer[E]],
        *,
        fast_paths: Mapping[str, FastPath] = {},
        written_by_get: tuple[str, ...] = (),
        helpful: Mapping[str, Probe] = {},
        calls: Mapping[str, str] = {},
        jobs: Sequence[Background] = (),
    ) -> None:
        """Serves HTTP at `port`, consumes messages and publishes events until the host stops.

        `helpful` are further probes for `degraded`. `calls` has the URLs of the services that this one calls,
        by name, for its log. `jobs` run beside the jobs that every service has.
        """
        settings, host, telemetry = self.settings, self.host, self.telemetry
        watchdog = await container.get(Watchdog)
        store = watch(telemetry, self.messaging.publishes, self.engines, watchdog)
        host.expose(telemetry.exposition)
        degrading = {**helpful, **probes_of(self.limits)}
        app = create_app(
            api,
            asyncapi=host.asyncapi,
            probes=probes(self.engines, self.schema.revision, watchdog, host.stop, **degrading),
            exposition=telemetry.exposition,
            container=container,
        )
        servers = {
            "database": ",".join(server.url for server in self.servers),
            "rabbitmq": settings.rabbitmq_url,
            **calls,
            "rate-limit": settings.shop_rate_limit_url,
            "collector": settings.otel_exporter_otlp_endpoint,
        }
        handler = await subscribed(container, store, consumer)
        await run(
            with_fast_paths(app, fast_paths, api.problems),
            telemetry,
            settings,
            port,
            host.stop,
            self.bus.stop,
            written_by_get=written_by_get,
            tokens=self.identity.tokens,
            rate_limits=self.limits,
            lifecycle=Lifecycle(self.messaging.service, servers, schema=self.schema.revision),
            relays=await relays(container, self.messaging.publishes, store, handler),
            jobs=[*await housekeeping(container), *self.identity.jobs, *jobs],
        )


@asynccontextmanager
async def open_service(
    settings: Settings, host: Host, messaging: Messaging, schema: Schema
) -> AsyncIterator[OpenService]:
    """Opens what the service needs. Raises ShopError or SettingsError if the service cannot start."""
    name, bus, servers = messaging.service, host.bus(), lane_servers(settings)
    say_what_is_not_used(settings)
    async with (
        open_telemetry(name, settings.otel_exporter_otlp_endpoint, messaging.subject) as telemetry,
        databases(servers, schema) as engines,
        open_identity(settings, name) as identity,
        open_rate_limits(settings, name) as limits,
        bus,
    ):
        yield OpenService(
            settings=settings,
            host=host,
            messaging=messaging,
            schema=schema,
            servers=servers,
            engines=engines,
            bus=bus,
            telemetry=telemetry,
            identity=identity,
            limits=limits,
        )
