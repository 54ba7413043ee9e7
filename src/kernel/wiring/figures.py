"""The metrics of a service's tables, pools and bus."""

import asyncio
from collections.abc import Iterable, Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.lanes.messages import FiguresOfLanes
from kernel.adapters.postgres.connections.pool import pools_of
from kernel.adapters.postgres.overview import PostgresMessagingFigures
from kernel.adapters.telemetry.metrics import StoreMetrics
from kernel.adapters.telemetry.telemetry import Telemetry
from kernel.application.replay import LETTERS, REPLAYED
from kernel.application.watchdog import Watchdog
from kernel.domain.errors import Contention, ShopError

READ_S = 2.0


def watch(
    telemetry: Telemetry, types: Iterable[str], engines: Sequence[AsyncEngine], watchdog: Watchdog
) -> StoreMetrics:
    """Registers the metrics, which are read at each scrape. `types` are the types of events that the service
    publishes. `engines` has one engine for each lane."""
    store = StoreMetrics(telemetry.metrics.registry, [*types, REPLAYED, LETTERS])
    pools = pools_of(engines)
    figures = FiguresOfLanes([PostgresMessagingFigures(engine) for engine in engines])
    store.watch(
        bus_is_healthy=lambda: watchdog.healthy,
        is_paused=lambda: watchdog.paused,
        used=lambda: sum(pool.checkedout() for pool in pools),
        most=sum(pool.size() for pool in pools),
    )

    tracing = telemetry.tracing

    def took(operation: str, seconds: float, error: str) -> None:
        store.statement(operation, seconds, error)
        if tracing is not None:
            tracing.statement(operation, seconds, error)

    for pool in pools:
        pool.measure = took

    async def read() -> None:
        try:
            async with asyncio.timeout(READ_S):
                late = {
                    one.type: (one.count, watchdog.late_since(one.type, one.since))
                    for one in await figures.waiting()
                }
                store.show(late, *await figures.parked())
        except (ShopError, Contention, TimeoutError):
            store.hide()

    telemetry.read_before_scrape(read)
    return store
