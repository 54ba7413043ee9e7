"""Spans for OpenTelemetry. This module is imported only if an endpoint is set.

Commands and events carry the trace of their call as `traceparent`. The context of a task cannot carry it,
as a batch joins the calls of many clients. A batch of one item continues the item's trace. A larger
batch starts a new trace, and each item gets a span in the item's trace. They and the batch's span are linked.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from threading import Thread
from time import time_ns
from typing import Literal

import requests
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from kernel.adapters.telemetry.messaging import span_attributes
from kernel.adapters.telemetry.metrics import DATABASE_SYSTEM
from kernel.adapters.trace_context import CURRENT
from kernel.ports.bus import Envelope, Publisher

Kind = Literal["internal", "client", "producer", "consumer"]

BATCH_ITEMS_MAX = 200  # the span of a batch has a link to each item

_ROOT = Context()
_OF_EVENT = re.compile(rb'"traceparent":"([0-9a-f-]{55})"')


class Tracing:
    def __init__(self, service: str, exporter: SpanExporter) -> None:
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": f"shop-{service}"}),
            span_limits=SpanLimits(max_links=BATCH_ITEMS_MAX),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("shop")

    async def close(self, *, within_s: float) -> None:
        """Exports as many of the waiting spans as the collector accepts within `within_s`.

        If the collector does not answer, the exporter blocks for longer. Its thread is then abandoned.
        """
        ending = Thread(target=self.shut_down, daemon=True)
        ending.start()
        await asyncio.to_thread(ending.join, within_s)

    def shut_down(self) -> None:
        self._provider.shutdown()

    def call(self, method: str, traceparent: str) -> "Call":
        """Starts the span of a request. An empty `traceparent` starts a new trace."""
        parent = _context(_remote(traceparent)) if traceparent else _ROOT
        return Call(self._tracer.start_span(method, parent, SpanKind.SERVER), method)

    def publisher(self, publisher: Publisher, system: str) -> Publisher:
        """Wraps `publisher` to trace it. `system` is the kind of the bus, for example rabbitmq."""
        return _TracedPublisher(publisher, self, system)

    def statement(self, operation: str, seconds: float, error: str) -> None:
        """Adds a span to the trace of the current call or batch for a statement that has just ended. `error`
        is the name of the statement's exception; empty if the statement succeeded."""
        current = CURRENT.get()
        if not _is_sampled(current):
            return
        ended_ns = time_ns()
        span = self._tracer.start_span(
            operation,
            _context(_remote(current)),
            SpanKind.CLIENT,
            {"db.system.name": DATABASE_SYSTEM, "db.operation.name": operation},
            start_time=ended_ns - int(seconds * 1e9),
        )
        if error:
            _fail(span, error)
        span.end(ended_ns)

    @contextmanager
    def batch(
        self, name: str, kind: Kind, traceparents: Sequence[str], attributes: Sequence[Mapping[str, str]] = ()
    ) -> Iterator[list[str]]:
        """Makes a span for each sampled item, with the item's `attributes`. Yields one traceparent per
        item: the traceparent of the new span, or the old traceparent if the item is not sampled."""
        parents = [_remote(text) if _is_sampled(text) else None for text in traceparents]
        links = [Link(parent) for parent in parents if parent is not None]
        if not links:
            yield list(traceparents)
            return
        start = partial(self._tracer.start_span, name, kind=SpanKind[kind.upper()])
        spans: list[Span] = []
        joint: list[Link] = []
        if len(parents) > 1:
            spans = [start(_ROOT, attributes={"shop.batch.items": len(parents)}, links=links)]
            joint = [Link(spans[0].get_span_context())]
        onward = list(traceparents)
        for number, parent in enumerate(parents):
            if parent is not None:
                span = start(_context(parent), links=joint)
                if attributes:
                    span.set_attributes(attributes[number])
                onward[number] = traceparent_of(span)
                spans.append(span)
        token = CURRENT.set(traceparent_of(spans[0]))
        try:
            yield onward
        except Exception as error:
            for span in spans:
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise
        finally:
            CURRENT.reset(token)
            for span in reversed(spans):
                span.end()


class Call:
    """The span of a request. `traceparent` is the parent of spans for the request's work."""

    def __init__(self, span: Span, method: str) -> None:
        self.traceparent = traceparent_of(span)
        self._span = span
        self._method = method

    def end(self, route: str, status: int) -> None:
        self._span.update_name(f"{self._method} {route}")
        self._span.set_attributes(
            {"http.request.method": self._method, "http.route": route, "http.response.status_code": status}
        )
        if status >= 500:
            _fail(self._span, str(status))
        self._span.end()


class _TracedPublisher:
    """Makes a span for publishing each sampled event. The event keeps its stored traceparent."""

    def __init__(self, publisher: Publisher, tracing: Tracing, system: str) -> None:
        self._publisher = publisher
        self._tracing = tracing
        self._system = system

    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        found = [text.decode() for envelope in envelopes for text in _OF_EVENT.findall(envelope.body)]
        attributes = span_attributes(self._system, "publish", "send", envelopes[0].type)
        of_each = [attributes] * len(found)
        with self._tracing.batch(f"publish {envelopes[0].type}", "producer", found, of_each):
            await self._publisher.publish(envelopes)


def otlp_exporter(endpoint: str) -> SpanExporter:
    """An exporter to a collector over HTTP. `endpoint` is the collector's base URL."""
    session = requests.Session()
    session.stream = True  # The body of an answer is not read: an endless body would fill the memory.
    return OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", session=session)


def traceparent_of(span: Span) -> str:
    context = span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def _fail(span: Span, error: str) -> None:
    span.set_attribute("error.type", error)
    span.set_status(StatusCode.ERROR)


def _is_sampled(traceparent: str) -> bool:
    return bool(traceparent) and int(traceparent[53:], 16) & TraceFlags.SAMPLED != 0


def _remote(traceparent: str) -> SpanContext:
    trace, span, flags = (int(part, 16) for part in traceparent.split("-")[1:])
    return SpanContext(trace, span, is_remote=True, trace_flags=TraceFlags(flags))


def _context(parent: SpanContext) -> Context:
    return set_span_in_context(NonRecordingSpan(parent), _ROOT)
