"""Traces of a service, and the figures of its tables, pool and bus."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.connections.pool import pool_of
from kernel.adapters.postgres.messages.figures import parked, waiting
from kernel.adapters.telemetry.metrics import StoreMetrics
from kernel.adapters.telemetry.telemetry import Telemetry
from kernel.application.operate import REPLAYED
from kernel.application.replay_letters import LETTERS
from kernel.application.watchdog import Watchdog
from kernel.domain.errors import Contention, ShopError

READ_S = 2.0
EXPORT_S = 2.0


@asynccontextmanager
async def open_telemetry(
    service: str, collector_url: str | None, subject: str = ""
) -> AsyncIterator[Telemetry]:
    """What was traced is exported at the end, as far as the collector takes it soon."""
    if collector_url is None:
        yield Telemetry()
        return
    from kernel.adapters.telemetry.strict import begin_tracing

    tracing = begin_tracing(service, collector_url)
    try:
        yield Telemetry(tracing, subject)
    finally:
        if tracing is not None:
            await tracing.close(within_s=EXPORT_S)


def watch(
    telemetry: Telemetry, types: Iterable[str], engine: AsyncEngine, watchdog: Watchdog
) -> StoreMetrics:
    """Figures of the service's tables, pool and bus, each read when it is asked for; `types` are the events
    that it publishes."""
    store = StoreMetrics(telemetry.metrics.registry, [*types, REPLAYED, LETTERS])
    pool = pool_of(engine)
    store.watch(bus_is_healthy=lambda: watchdog.healthy, used=pool.checkedout, most=pool.size())

    async def read() -> None:
        try:
            async with asyncio.timeout(READ_S):
                store.show(await waiting(engine), await parked(engine))
        except (ShopError, Contention, TimeoutError):
            store.hide()

    telemetry.read_before_scrape(read)
    return store
