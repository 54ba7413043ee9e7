"""Runs a service until it is stopped: its HTTP application with all middleware, its relays and its jobs."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from litestar.config.cors import CORSConfig
from litestar.types import ASGIApp

from kernel.adapters.http.documents.documentation import OPEN_TO_ALL
from kernel.adapters.http.middleware.cross_origin import with_cors
from kernel.adapters.http.middleware.identity import CookieAuthentication, identified
from kernel.adapters.http.middleware.proxies import behind_proxies
from kernel.adapters.http.middleware.reads import ReadBudget, bound_reads
from kernel.adapters.http.middleware.repeated_headers import join_repeated
from kernel.adapters.http.server.limits import Limits
from kernel.adapters.http.server.server import HttpServer, listen
from kernel.adapters.telemetry.asgi import observed
from kernel.adapters.telemetry.lifecycle import Lifecycle
from kernel.adapters.telemetry.telemetry import LoopLag, Telemetry
from kernel.application.relay_loop import Relay
from kernel.ports.rate_limits import RateLimits
from kernel.ports.tokens import Tokens
from kernel.settings import Settings

DRAIN_S = 2.0

logger = logging.getLogger(__name__)


class Background(Protocol):
    async def run(self) -> None:
        """Never returns."""


async def run(
    app: ASGIApp,
    telemetry: Telemetry,
    settings: Settings,
    port: int,
    stop: asyncio.Event,
    stop_intake: Callable[[], Awaitable[None]],
    *,
    lifecycle: Lifecycle,
    tokens: Tokens | None,
    rate_limits: RateLimits | None,
    cookies: CookieAuthentication | None = None,
    cors: CORSConfig | None = None,
    root_path: str = "",
    written_by_get: tuple[str, ...] = (),
    streams: tuple[str, ...] = (),
    relays: Sequence[Relay] = (),
    jobs: Sequence[Background] = (),
) -> None:
    """Serves HTTP and runs relays and jobs until `stop` is set. If one of them crashes, all of them end.

    At the end, `stop_intake` is called first, so that no further message or stream begins. Requests that have
    begun are finished. The relays end last, so that they publish the events of these requests. An event that
    they cannot publish within DRAIN_S stays in the outbox.

    Without `tokens`, callers are not authenticated. Without `rate_limits`, their calls are not limited.
    """

    async def stop_first() -> None:
        await stop.wait()
        lifecycle.stopping()
        await stop_intake()

    trusted = settings.shop_trusted_proxies
    bounded = bound_reads(app, ReadBudget(), written_by_get=written_by_get, streams=streams)
    open_paths = ("/health/", *OPEN_TO_ALL)
    guarded = join_repeated(identified(bounded, tokens, open_paths, cookies=cookies, limits=rate_limits))
    served = behind_proxies(observed(with_cors(guarded, cors), telemetry), trusted, root_path)
    limits = Limits(
        connections=settings.shop_connections, connections_per_address=settings.connections_per_address
    )
    with listen(settings.bind_host, port) as listener:
        lifecycle.listening(settings.bind_host, port)
        try:
            async with asyncio.TaskGroup() as group:
                relaying = [group.create_task(relay.run()) for relay in relays]
                every_job = [*jobs, LoopLag(telemetry.metrics), *([rate_limits] if rate_limits else [])]
                working = [group.create_task(job.run()) for job in every_job]
                intake_stopped = group.create_task(stop_first())
                await HttpServer(served, listener, limits, trusted.hold).run_until(stop)
                await intake_stopped
                for relay in relays:
                    relay.stop()
                for task in working:
                    task.cancel()
                if relaying:
                    await asyncio.wait(relaying, timeout=DRAIN_S)
                for task in relaying:
                    task.cancel()
        except Exception:  # Logs the traceback: the command prints one line only.
            logger.exception("the service failed and ends")
            raise
    lifecycle.stopped()
