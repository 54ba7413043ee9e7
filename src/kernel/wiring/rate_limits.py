"""Opens the rate limits of a service."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from kernel.adapters.http.health import Probe
from kernel.adapters.system_clock import SystemClock
from kernel.ports.rate_limits import RateLimits
from kernel.settings import Settings


@asynccontextmanager
async def open_rate_limits(settings: Settings, service: str) -> AsyncIterator[RateLimits | None]:
    """Yields the limits of the service; None if there is no limit."""
    rate, url, clock = settings.rate_limit, settings.shop_rate_limit_url, SystemClock()
    if rate is None:
        yield None
        return
    # Imported here: these libraries cost time and memory, which a service without limits need not pay.
    from kernel.adapters.rate_limits.rate_limits import CountedRateLimits

    if url is None:
        yield CountedRateLimits(rate, service, clock)
        return
    from kernel.adapters.rate_limits.shared import open_shared_counters

    async with open_shared_counters(rate, url, clock) as shared:
        yield CountedRateLimits(rate, service, clock, shared)


def probes_of(limits: RateLimits | None) -> Mapping[str, Probe]:
    return {} if limits is None else {"rate-limit": limits.is_shared}
