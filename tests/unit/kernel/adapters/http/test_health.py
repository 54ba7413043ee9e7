"""Health: ready without what only makes the shop late, not ready without what it needs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
from litestar import Litestar

from kernel.adapters.http import health
from kernel.adapters.http.conventions.answers import JsonAnswer
from kernel.adapters.http.conventions.problem import exception_handlers
from kernel.adapters.http.health import Probes
from kernel.domain.errors import Unavailable


async def holds() -> bool:
    return True


async def fails() -> bool:
    return False


async def is_away() -> bool:
    raise Unavailable("the database is away")


async def hangs() -> bool:
    await asyncio.Event().wait()
    return True


@asynccontextmanager
async def client(probes: Probes) -> AsyncIterator[httpx.AsyncClient]:
    app = Litestar(
        [health.health(probes)],
        exception_handlers=exception_handlers(),
        response_class=JsonAnswer,
        logging_config=None,
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop") as http:
        yield http


async def test_a_service_that_has_all_it_needs_is_ready() -> None:
    async with client(Probes(required={"database": holds}, helpful={"rabbitmq": holds})) as http:
        ready = await http.get("/health/ready")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready", "degraded": []})


@pytest.mark.parametrize("probe", [fails, is_away, hangs])
async def test_a_missing_part_is_named(
    probe: Callable[[], Awaitable[bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "PROBE_TIMEOUT_S", 0.01)
    async with client(
        Probes(required={"database": probe, "schema": holds}, helpful={"rabbitmq": fails})
    ) as http:
        ready = await http.get("/health/ready")
    assert (ready.status_code, ready.headers["retry-after"]) == (503, "1")
    problem = ready.json()
    assert (problem["code"], problem["detail"]) == ("not_ready", "missing: database")


async def test_a_part_that_depends_on_a_missing_one_is_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "PROBE_TIMEOUT_S", 0.01)
    async with client(Probes(required={"database": hangs, "schema": hangs})) as http:
        ready = await http.get("/health/ready")
    assert ready.json()["detail"] == "missing: database"


@pytest.mark.parametrize("probe", [fails, is_away, hangs])
async def test_a_part_that_only_delays_the_service_leaves_it_ready_and_is_named(
    probe: Callable[[], Awaitable[bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "PROBE_TIMEOUT_S", 0.01)
    async with client(Probes(required={"database": holds}, helpful={"rabbitmq": probe})) as http:
        ready = await http.get("/health/ready")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready", "degraded": ["rabbitmq"]})


async def test_a_service_that_is_about_to_end_asks_for_no_more_requests() -> None:
    probes = Probes(required={"database": holds})
    probes.stop.set()
    async with client(probes) as http:
        ready, live = await http.get("/health/ready"), await http.get("/health/live")
    assert (ready.status_code, ready.headers["retry-after"]) == (503, "1")
    assert ready.json()["code"] == "stopping"
    assert live.status_code == 200


async def test_a_service_lives_whatever_is_missing() -> None:
    async with client(Probes(required={"database": fails})) as http:
        live = await http.get("/health/live")
    assert (live.status_code, live.json()["status"]) == (200, "live")
