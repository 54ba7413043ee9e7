"""The routes for health probes and metrics."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from litestar import Router, get
from litestar.handlers import HTTPRouteHandler

from kernel.adapters.http.conventions.caller import calling
from kernel.adapters.http.conventions.problem import problems
from kernel.contracts.http import Health
from kernel.contracts.problems import COMMON
from kernel.domain.caller import Role
from kernel.domain.errors import Contention, Forbidden, ShopError, Unavailable

PROBE_TIMEOUT_S = 2.0
FIGURES = "text/plain; version=1.0.0"  # Prometheus' media type

Probe = Callable[[], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Probes:
    """If a `required` probe fails, requests cannot be served. If a `helpful` probe fails, work is delayed.

    Each `required` probe depends on the probes before it, so only the first failed probe is reported.

    Once `stop` is set, the readiness route answers 503, so that new requests are sent elsewhere. The service
    still serves the requests that arrive.
    """

    required: Mapping[str, Probe] = field(default_factory=dict)
    helpful: Mapping[str, Probe] = field(default_factory=dict)
    stop: asyncio.Event = field(default_factory=asyncio.Event)


def health(probes: Probes) -> Router:
    @get("/health/live", tags=["Health"], summary="The process runs", operation_id="live")
    async def live() -> Health:
        return Health("live")

    @get(
        "/health/ready",
        tags=["Health"],
        summary="Requests can be served",
        operation_id="ready",
        responses=problems(COMMON, (503, "not_ready"), (503, "stopping")),
    )
    async def ready() -> Health:
        if probes.stop.is_set():
            raise Unavailable("this process is about to end", code="stopping")
        for name, probe in probes.required.items():
            if not await _holds(probe):
                raise Unavailable(f"missing: {name}", code="not_ready")
        return Health("ready", await _failing(probes.helpful))

    return Router("/", route_handlers=[live, ready])


def metrics(exposition: Callable[[], Awaitable[bytes]]) -> HTTPRouteHandler:
    @get(
        "/metrics",
        tags=["Health"],
        summary="Figures for Prometheus",
        operation_id="metrics",
        media_type=FIGURES,
        responses=problems(COMMON, (401, "unauthorized"), (403, "forbidden"), (429, "rate_limited")),
    )
    async def show() -> bytes:
        caller = calling()
        if not caller.may_see_all and caller.role is not Role.SERVICE:
            raise Forbidden()
        return await exposition()

    return show


async def _failing(probes: Mapping[str, Probe]) -> list[str]:
    found = await asyncio.gather(*(_holds(probe) for probe in probes.values()))
    return [name for name, holds in zip(probes, found, strict=True) if not holds]


async def _holds(probe: Probe) -> bool:
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            return await probe()
    except (ShopError, Contention, TimeoutError):
        return False
