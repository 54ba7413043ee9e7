"""The metrics for Prometheus: docs/telemetry.md lists them all, and is held against this."""

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
from kernel.ports.bus import Bury, DeadLetter

# Whose every series would be doubled by the time at which it began.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library types all but this

P = ParamSpec("P")

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
DATABASE_SYSTEM = "postgresql"
SIZES = (1, 2, 5, 10, 20, 50, 100, 200)


class Metrics:
    """Of every service; each has a registry of its own, also where several share a process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        seconds = partial(Histogram, buckets=SECONDS, registry=self.registry)
        self.requests = seconds(
            "shop_http_request_seconds",
            "From a request to the start of its answer.",
            ("method", "route", "status"),
        )
        Renamed(self.requests, "http_server_request_duration_seconds", of_requests, self.registry)
        self.batch_size = Histogram(
            "shop_batch_items",
            "Commands or facts that were done together.",
            ("work",),
            buckets=SIZES,
            registry=self.registry,
        )
        self.batch_seconds = seconds(
            "shop_batch_seconds", "What a batch took, whether it succeeded or not.", ("work",)
        )
        self.loop_lag = seconds(
            "shop_event_loop_lag_seconds", "How much later than asked the event loop gave a turn."
        )


class StoreMetrics:
    """Of a service with a database and a bus; `types` are the events that it publishes.

    The figures of the tables are those of the last `read`, and are gone where the database does not answer.
    """

    def __init__(self, registry: CollectorRegistry, types: Sequence[str]) -> None:
        self._types = types
        self._published = Histogram(
            "shop_published_events",
            "Events that a round of the relay published.",
            ("type",),
            buckets=(*SIZES, 500, 1000, 2000),
            registry=registry,
        )
        self._dead_lettered = Counter(
            "shop_dead_lettered_messages",
            "Messages that nobody could read, or that each delivery failed to get handled.",
            registry=registry,
        )
        gauge = partial(Gauge, registry=registry)
        self._waiting = gauge(
            "shop_outbox_events", "Events in the outbox: not published, or within the last 0.2 s.", ("type",)
        )
        self._waiting_s = gauge(
            "shop_outbox_oldest_seconds", "For how long the oldest event waits; 0 where none does.", ("type",)
        )
        self._parked = gauge(
            "shop_parked_messages", "Messages that wait for an operator, but for held ones.", ("reason",)
        )
        self._held = gauge("shop_held_messages", "Those that an operator looks after.", ("reason",))
        self._consuming = gauge("shop_bus_healthy", "1 while messages can come and go, else 0.")
        self._paused = gauge("shop_consumer_paused", "1 while an operator wants no message taken, else 0.")
        self._used = gauge("shop_database_connections_used", "Connections of the pool that are at work.")
        self._max = gauge("shop_database_connections_max", "Connections that the pool may have.")
        statements = Histogram(
            "db_client_operation_duration_seconds",
            "Until a statement, or a COMMIT, was answered.",
            ("db_system_name", "db_operation_name", "error_type"),
            buckets=SECONDS,
            registry=registry,
        )
        # `labels` takes longer than all the rest of a measurement.
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
        """One that ended; `error` is what it raised, if it did."""
        self._of_statement(operation, error).observe(seconds)

    def publishing(
        self, relay_events: Callable[P, Awaitable[RelayResult]]
    ) -> Callable[P, Awaitable[RelayResult]]:
        """The same round of a relay, whose first argument is the type, counted where it published."""

        async def counted(*args: P.args, **kwargs: P.kwargs) -> RelayResult:
            done = await relay_events(*args, **kwargs)
            if done.events:
                self._published.labels(args[0]).observe(done.events)
            return done

        return counted

    def burying(self, bury: Bury) -> Bury:
        """The same, counted."""

        async def counted(letter: DeadLetter) -> None:
            await bury(letter)
            self._dead_lettered.inc()

        return counted

    def show(
        self,
        waiting: Mapping[str, tuple[int, datetime]],
        parked: Mapping[str, int],
        held: Mapping[str, int],
    ) -> None:
        """`waiting` is how many and since when, by type; `parked` is how many, by reason, without `held`."""
        self.hide()
        now = datetime.now(UTC)
        for name in self._types:
            count, since = waiting.get(name, (0, now))
            self._waiting.labels(name).set(count)
            self._waiting_s.labels(name).set(max(0.0, (now - since).total_seconds()))
        for reason, count in parked.items():
            self._parked.labels(reason).set(count)
        for reason, count in held.items():
            self._held.labels(reason).set(count)

    def hide(self) -> None:
        for gauge in (self._waiting, self._waiting_s, self._parked, self._held):
            gauge.clear()
