"""The figures of a service's tables, pool and bus."""

import asyncio
from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.connections.pool import pool_of
from kernel.adapters.postgres.messages.figures import parked, waiting
from kernel.adapters.telemetry.metrics import StoreMetrics
from kernel.adapters.telemetry.telemetry import Telemetry
from kernel.application.replay import LETTERS, REPLAYED
from kernel.application.watchdog import Watchdog
from kernel.domain.errors import Contention, ShopError

READ_S = 2.0


def watch(
    telemetry: Telemetry, types: Iterable[str], engine: AsyncEngine, watchdog: Watchdog
) -> StoreMetrics:
    """Figures of the service's tables, pool and bus, each read when it is asked for; `types` are the events
    that it publishes."""
    store = StoreMetrics(telemetry.metrics.registry, [*types, REPLAYED, LETTERS])
    pool = pool_of(engine)
    store.watch(
        bus_is_healthy=lambda: watchdog.healthy,
        is_paused=lambda: watchdog.paused,
        used=pool.checkedout,
        most=pool.size(),
    )

    tracing = telemetry.tracing

    def took(operation: str, seconds: float, error: str) -> None:
        store.statement(operation, seconds, error)
        if tracing is not None:
            tracing.statement(operation, seconds, error)

    pool.took = took

    async def read() -> None:
        try:
            async with asyncio.timeout(READ_S):
                found = (await waiting(engine)).items()
                late = {name: (count, watchdog.late_since(name, at)) for name, (count, at) in found}
                store.show(late, *await parked(engine))
        except (ShopError, Contention, TimeoutError):
            store.hide()

    telemetry.read_before_scrape(read)
    return store
