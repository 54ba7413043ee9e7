"""Measures and traces a service. `wiring` wraps the parts of the service; they do not know the wrapper."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from prometheus_client import generate_latest

from kernel.adapters import request_id
from kernel.adapters.telemetry.messaging import span_attributes
from kernel.adapters.telemetry.metrics import Metrics
from kernel.adapters.trace_context import CURRENT
from kernel.domain.events import Received
from kernel.ports.bus import Publisher

if TYPE_CHECKING:
    from kernel.adapters.telemetry.tracing import Kind, Tracing

LAG_CHECK_S = 1.0

logger = logging.getLogger(__name__)

C = TypeVar("C")
R = TypeVar("R")
P = ParamSpec("P")


class Telemetry:
    """The metrics and traces of one service. Without `tracing`, OpenTelemetry is not imported."""

    def __init__(self, tracing: "Tracing | None" = None, subject: str = "") -> None:
        """`subject` is the kind of thing that commands and events are about, for example "order". Spans then
        have the attribute `shop.order.id`. If `subject` is empty, they have no such attribute."""
        self.metrics = Metrics()
        self.tracing = tracing
        self.messaging_system = ""
        """The `system` of the service's Bus; empty in a service without one."""
        self._subject = f"shop.{subject}.id" if subject else ""
        self._readings: list[Callable[[], Awaitable[None]]] = []

    def read_before_scrape(self, reading: Callable[[], Awaitable[None]]) -> None:
        self._readings.append(reading)

    async def exposition(self) -> bytes:
        """All metrics, in Prometheus' text format."""
        await asyncio.gather(*(reading() for reading in self._readings))
        return generate_latest(self.metrics.registry)

    def batches(
        self, work: str, call: Callable[Concatenate[Sequence[C], P], Awaitable[R]], kind: "Kind" = "internal"
    ) -> Callable[Concatenate[Sequence[C], P], Awaitable[R]]:
        """Wraps `call` to measure each batch as `work`, and to trace batches that have a sampled item."""
        size, seconds = self.metrics.batch_size.labels(work), self.metrics.batch_seconds.labels(work)

        async def observed(items: Sequence[C], /, *args: P.args, **kwargs: P.kwargs) -> R:
            # A batch runs in the task context of its first call, but may also do the work of other calls.
            CURRENT.set(_said(items[0], "traceparent") if len(items) == 1 else "")
            request_id.CURRENT.set(_said(items[0], "request_id") if len(items) == 1 else "")
            began = perf_counter()
            try:
                if self.tracing is None:
                    return await call(items, *args, **kwargs)
                traces = [_said(item, "traceparent") for item in items]
                attributes = [self._attributes(item) for item in items]
                with self.tracing.batch(work, kind, traces, attributes) as onward:
                    pairs = zip(items, onward, strict=True)
                    return await call([_with(item, text) for item, text in pairs], *args, **kwargs)
            finally:
                took_s = perf_counter() - began
                size.observe(len(items))
                seconds.observe(took_s)
                if logger.isEnabledFor(logging.DEBUG):
                    logger.debug("%s", work, extra={"items": len(items), "seconds": round(took_s, 6)})

        return observed

    def _attributes(self, item: object) -> Mapping[str, str]:
        subject = {self._subject: _said(item, "subject")} if self._subject else {}
        if not isinstance(item, Received):
            return subject
        attributes = span_attributes(self.messaging_system, "process", "process", item.type)
        return subject | attributes | {"messaging.message.id": item.message.id}

    def publisher(self, publisher: Publisher) -> Publisher:
        if self.tracing is None:
            return publisher
        return self.tracing.publisher(publisher, self.messaging_system)


class LoopLag:
    """Measures the delay of the event loop: how much too late it wakes a sleeping task."""

    def __init__(self, metrics: Metrics) -> None:
        self._lag = metrics.loop_lag

    async def run(self) -> None:
        while True:
            began = perf_counter()
            await asyncio.sleep(LAG_CHECK_S)
            self._lag.observe(max(0.0, perf_counter() - began - LAG_CHECK_S))


def _fact_or_command(item: Any) -> Any:
    return item.fact if isinstance(item, Received) else item


def _said(item: Any, name: str) -> str:
    """The attribute `name` of a fact or command as text; empty if there is no such attribute."""
    return str(getattr(_fact_or_command(item), name, ""))


def _with(item: C, traceparent: str) -> C:
    if traceparent == _said(item, "traceparent"):
        return item
    changed = replace(_fact_or_command(item), traceparent=traceparent)
    return replace(item, fact=changed) if isinstance(item, Received) else changed
