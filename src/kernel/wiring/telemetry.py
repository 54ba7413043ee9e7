"""The telemetry of a service, with traces if a collector is set."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kernel.adapters.telemetry.telemetry import Telemetry

EXPORT_S = 2.0


@asynccontextmanager
async def open_telemetry(
    service: str, collector_url: str | None, subject: str = ""
) -> AsyncIterator[Telemetry]:
    """At the end, exports the remaining spans, for at most EXPORT_S."""
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
