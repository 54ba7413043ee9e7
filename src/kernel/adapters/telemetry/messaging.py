"""Metrics of sent and received messages, named as in OpenTelemetry's semantic conventions.

A message is one envelope of up to 200 events.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache, partial
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Histogram

from kernel.adapters.telemetry.metrics import SECONDS
from kernel.ports.bus import Envelope, Handler, Publisher

_LABELS = ("messaging_system", "messaging_operation_name", "messaging_destination_name", "error_type")


class MessagingMetrics:
    """The metrics of one service. `queue` names the service's queue; `system` is the kind of the bus."""

    def __init__(self, registry: CollectorRegistry, system: str, queue: str) -> None:
        self._queue = queue
        counter = partial(Counter, labelnames=_LABELS, registry=registry)
        seconds = partial(Histogram, labelnames=_LABELS, buckets=SECONDS, registry=registry)
        sent = counter("messaging_client_sent_messages", "Messages given to the bus.")
        consumed = counter("messaging_client_consumed_messages", "Messages received.")
        sending = seconds(
            "messaging_client_operation_duration_seconds",
            "Time until the bus confirmed the messages of one publish.",
        )
        processing = seconds("messaging_process_duration_seconds", "Time to handle a message.")

        # Cached, because `labels` takes longer than the rest of a measurement.
        self._sent = lru_cache(partial(sent.labels, system))
        self._sending = lru_cache(partial(sending.labels, system))
        self._consumed = lru_cache(partial(consumed.labels, system))
        self._processing = lru_cache(partial(processing.labels, system))

    def publisher(self, publisher: Publisher) -> Publisher:
        """Wraps `publisher`: messages and durations are measured by event type."""
        return _MeasuredPublisher(publisher, partial(self._measured, self._sent, self._sending, "publish"))

    def handler(self, handler: Handler) -> Handler:
        """Wraps `handler`: messages and durations are measured."""

        async def handle(body: bytes) -> None:
            with self._measured(self._consumed, self._processing, "process", self._queue):
                await handler(body)

        return handle

    @contextmanager
    def _measured(
        self,
        count: Callable[[str, str, str], Counter],
        duration: Callable[[str, str, str], Histogram],
        operation: str,
        destination: str,
        messages: int = 1,
    ) -> Iterator[None]:
        began, error = perf_counter(), ""
        try:
            yield
        except BaseException as raised:
            error = type(raised).__name__
            raise
        finally:
            count(operation, destination, error).inc(messages)
            duration(operation, destination, error).observe(perf_counter() - began)


class _MeasuredPublisher:
    def __init__(
        self, publisher: Publisher, measured: Callable[[str, int], AbstractContextManager[None]]
    ) -> None:
        self._publisher = publisher
        self._measured = measured

    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        """Publishes and measures `envelopes`, which all have the same type."""
        with self._measured(envelopes[0].type, len(envelopes)):
            await self._publisher.publish(envelopes)


def span_attributes(system: str, operation: str, kind: str, destination: str) -> dict[str, str]:
    """The attributes of a message's span. `kind` is an operation type of the semantic conventions."""
    return {
        "messaging.system": system,
        "messaging.operation.name": operation,
        "messaging.operation.type": kind,
        "messaging.destination.name": destination,
    }
