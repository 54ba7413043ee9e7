"""The metrics for Prometheus. docs/telemetry.md lists all of them; a test compares the two lists."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import ParamSpec

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

from kernel.adapters.telemetry.semantic import Renamed, of_connections, of_requests, of_used_connections
from kernel.application.relay import RelayResult
from kernel.application.set_aside import is_aside, lane_of
from kernel.ports.bus import Bury, DeadLetter

# Otherwise the library adds a second series to each series, with the time of its creation.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library types all but this

P = ParamSpec("P")

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
DATABASE_SYSTEM = "postgresql"
SIZES = (1, 2, 5, 10, 20, 50, 100, 200)


class Metrics:
    """The metrics that every service has. Each service has its own registry, even within one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        seconds = partial(Histogram, buckets=SECONDS, registry=self.registry)
        self.requests = seconds(
            "shop_http_request_seconds",
            "Time from a request to the start of its answer.",
            ("method", "route", "status"),
        )
        Renamed(self.requests, "http_server_request_duration_seconds", of_requests, self.registry)
        self.batch_size = Histogram(
            "shop_batch_items",
            "Commands or facts handled in one batch.",
            ("work",),
            buckets=SIZES,
            registry=self.registry,
        )
        self.batch_seconds = seconds(
            "shop_batch_seconds", "Duration of a batch, successful or not.", ("work",)
        )
        self.loop_lag = seconds(
            "shop_event_loop_lag_seconds", "How much too late the event loop resumes a sleeping task."
        )


class StoreMetrics:
    """The metrics of a service with a database and a bus. `types` are the service's published event types.

    The gauges of outbox and parked messages hold the values of the last `show`. `hide` removes these values
    while the database does not answer.
    """

    def __init__(self, registry: CollectorRegistry, types: Sequence[str]) -> None:
        self._types = types
        self._published = Histogram(
            "shop_published_events",
            "Events published in one round of the relay.",
            ("type",),
            buckets=(*SIZES, 500, 1000, 2000),
            registry=registry,
        )
        self._dead_lettered = Counter(
            "shop_dead_lettered_messages",
            "Messages that could not be decoded, or that no delivery got handled.",
            registry=registry,
        )
        gauge = partial(Gauge, registry=registry)
        self._waiting = gauge(
            "shop_outbox_events", "Events not published, or published less than 0.2 s ago.", ("type",)
        )
        self._waiting_s = gauge(
            "shop_outbox_oldest_seconds", "Age of the oldest waiting event; 0 if none waits.", ("type",)
        )
        self._set_aside = gauge(
            "shop_set_aside_events", "Events that wait elsewhere for a lane whose server is away.", ("lane",)
        )
        self._parked = gauge(
            "shop_parked_messages", "Parked messages, without those that are held.", ("reason",)
        )
        self._held = gauge("shop_held_messages", "Parked messages that an operator holds.", ("reason",))
        self._consuming = gauge("shop_bus_healthy", "1 while messages can come and go, else 0.")
        self._paused = gauge("shop_consumer_paused", "1 while an operator pauses the consumer, else 0.")
        self._used = gauge("shop_database_connections_used", "Connections of the pool that are in use.")
        self._max = gauge("shop_database_connections_max", "Maximum number of connections of the pool.")
        statements = Histogram(
            "db_client_operation_duration_seconds",
            "Time until a statement or a COMMIT was answered.",
            ("db_system_name", "db_operation_name", "error_type"),
            buckets=SECONDS,
            registry=registry,
        )
        # Cached, because `labels` takes longer than the rest of a measurement.
        self._of_statement = lru_cache(partial(statements.labels, DATABASE_SYSTEM))
        Renamed(self._used, "db_client_connection_count", of_used_connections, registry)
        Renamed(self._max, "db_client_connection_max", of_connections, registry)

    def watch(
        self,
        *,
        bus_is_healthy: Callable[[], bool],
        is_paused: Callable[[], bool],
        used: Callable[[], int],
        most: int,
    ) -> None:
        self._consuming.set_function(lambda: float(bus_is_healthy()))
        self._paused.set_function(lambda: float(is_paused()))
        self._used.set_function(lambda: float(used()))
        self._max.set(most)

    def statement(self, operation: str, seconds: float, error: str) -> None:
        """Records the duration of a statement. `error` is its exception's name; empty without one."""
        self._of_statement(operation, error).observe(seconds)

    def publishing(
        self, relay_events: Callable[P, Awaitable[RelayResult]]
    ) -> Callable[P, Awaitable[RelayResult]]:
        """Wraps `relay_events` to count the published events. Its first argument is the event type."""

        async def counted(*args: P.args, **kwargs: P.kwargs) -> RelayResult:
            done = await relay_events(*args, **kwargs)
            if done.events:
                self._published.labels(args[0]).observe(done.events)
            return done

        return counted

    def burying(self, bury: Bury) -> Bury:
        """Wraps `bury` to count the dead letters."""

        async def counted(letter: DeadLetter) -> None:
            await bury(letter)
            self._dead_lettered.inc()

        return counted

    def show(
        self, waiting: Mapping[str, tuple[int, datetime]], parked: Mapping[str, int], held: Mapping[str, int]
    ) -> None:
        """`waiting` maps an event type to the number of events and the time of the oldest event. `parked`,
        without held messages, and `held` map a reason to a number of messages."""
        self.hide()
        now = datetime.now(UTC)
        for name in self._types:
            count, since = waiting.get(name, (0, now))
            self._waiting.labels(name).set(count)
            self._waiting_s.labels(name).set(max(0.0, (now - since).total_seconds()))
        for name in filter(is_aside, waiting):
            self._set_aside.labels(lane_of(name)).set(waiting[name][0])
        for reason, count in parked.items():
            self._parked.labels(reason).set(count)
        for reason, count in held.items():
            self._held.labels(reason).set(count)

    def hide(self) -> None:
        for gauge in (self._waiting, self._waiting_s, self._set_aside, self._parked, self._held):
            gauge.clear()
