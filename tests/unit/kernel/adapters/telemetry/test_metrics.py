"""Figures are counted around the parts of a service, which go on as if nobody looked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry

from kernel.adapters.telemetry.asgi import observed
from kernel.adapters.telemetry.metrics import StoreMetrics
from kernel.adapters.telemetry.telemetry import Telemetry
from kernel.adapters.trace_context import CURRENT
from kernel.application.relay import RelayResult
from kernel.application.set_aside import aside
from kernel.domain.errors import Unavailable
from kernel.ports.bus import DeadLetter
from tests.builders import TRACE


@dataclass(frozen=True)
class Command:
    traceparent: str = TRACE


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def store(registry: CollectorRegistry) -> StoreMetrics:
    return StoreMetrics(registry, ["placed", "paid"])


async def test_the_work_of_a_batch_is_measured_whether_it_succeeds_or_not() -> None:
    async def work(items: Sequence[Command]) -> int:
        if len(items) > 2:
            raise ValueError("too many")
        return len(items)

    telemetry = Telemetry()
    done = telemetry.batches("work", work)
    assert await done([Command()] * 2) == 2
    with pytest.raises(ValueError, match="too many"):
        await done([Command()] * 3)
    value = telemetry.metrics.registry.get_sample_value
    assert value("shop_batch_items_sum", {"work": "work"}) == 5
    assert value("shop_batch_seconds_count", {"work": "work"}) == 2


@pytest.mark.parametrize(("count", "current"), [(1, TRACE), (2, "")])
async def test_the_lines_of_a_batch_have_the_trace_of_its_only_item_and_of_no_other_call(
    count: int, current: str
) -> None:
    async def work(_: Sequence[Command]) -> str:
        return CURRENT.get()

    CURRENT.set("that of the caller who came first")
    assert await Telemetry().batches("work", work)([Command()] * count) == current


async def test_a_call_that_fails_before_it_answers_counts_as_an_error() -> None:
    async def app(*_: object) -> None:
        raise RuntimeError("bug")

    telemetry = Telemetry()
    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    with pytest.raises(RuntimeError):
        await observed(app, telemetry)(scope, None, None)
    labels = {"method": "GET", "route": "unmatched", "status": "500"}
    assert telemetry.metrics.registry.get_sample_value("shop_http_request_seconds_count", labels) == 1


async def test_a_dead_letter_is_counted_once_it_is_buried(
    store: StoreMetrics, registry: CollectorRegistry
) -> None:
    async def bury(letter: DeadLetter) -> None:
        if letter.body == b"lost":
            raise Unavailable("away")

    counted = store.burying(bury)
    await counted(DeadLetter(b"garbage", "", "unreadable"))
    with pytest.raises(Unavailable):
        await counted(DeadLetter(b"lost", "", "unreadable"))
    assert registry.get_sample_value("shop_dead_lettered_messages_total") == 1


async def test_rounds_of_a_relay_that_found_nothing_do_not_count(
    store: StoreMetrics, registry: CollectorRegistry
) -> None:
    rounds = [RelayResult(events, full=False) for events in (0, 7, 0)]
    left = iter(rounds)

    async def relay_events(_: str) -> RelayResult:
        return next(left)

    relay = store.publishing(relay_events)
    assert [await relay("placed") for _ in range(3)] == rounds
    assert registry.get_sample_value("shop_published_events_sum", {"type": "placed"}) == 7
    assert registry.get_sample_value("shop_published_events_count", {"type": "placed"}) == 1


def test_the_backlog_is_shown_for_every_type_and_an_unknown_one_is_not_shown(
    store: StoreMetrics, registry: CollectorRegistry
) -> None:
    value = registry.get_sample_value
    waiting = {"paid": (3, datetime.now(UTC) - timedelta(seconds=60)), aside(2): (4, datetime.now(UTC))}
    store.show(waiting, {"invalid_data": 2}, {"unreadable": 5})
    assert value("shop_set_aside_events", {"lane": "2"}) == 4
    assert value("shop_outbox_events", {"type": "paid"}) == 3
    assert value("shop_outbox_oldest_seconds", {"type": "paid"}) == pytest.approx(60, abs=30)
    assert value("shop_outbox_events", {"type": "placed"}) == 0
    assert value("shop_parked_messages", {"reason": "invalid_data"}) == 2
    assert value("shop_held_messages", {"reason": "unreadable"}) == 5
    store.hide()
    assert value("shop_held_messages", {"reason": "unreadable"}) is None
    assert value("shop_set_aside_events", {"lane": "2"}) is None
    assert value("shop_outbox_events", {"type": "paid"}) is None
    assert value("shop_parked_messages", {"reason": "invalid_data"}) is None


def test_figures_of_standard_dashboards_are_told_under_their_names() -> None:
    metrics = Telemetry().metrics
    metrics.requests.labels("GET", "/orders/{id}", 200).observe(0.02)
    metrics.requests.labels("GET", "unmatched", 404).observe(0.002)
    value = metrics.registry.get_sample_value
    name = "http_server_request_duration_seconds"
    told = {"http_request_method": "GET", "http_response_status_code": "200", "http_route": "/orders/{id}"}
    assert value(f"{name}_count", told) == 1
    assert value(f"{name}_sum", told) == 0.02
    assert value(f"{name}_bucket", told | {"le": "0.01"}) == 0
    assert value(f"{name}_bucket", told | {"le": "+Inf"}) == 1
    assert value(f"{name}_count", told | {"http_route": "", "http_response_status_code": "404"}) == 1


def test_connections_are_told_under_the_names_of_the_conventions_too(
    registry: CollectorRegistry, store: StoreMetrics
) -> None:
    store.watch(bus_is_healthy=lambda: True, is_paused=lambda: True, used=lambda: 3, most=10)
    pool = {"db_client_connection_pool_name": "shop"}
    used = registry.get_sample_value(
        "db_client_connection_count", pool | {"db_client_connection_state": "used"}
    )
    assert (used, registry.get_sample_value("db_client_connection_max", pool)) == (3, 10)
    assert registry.get_sample_value("shop_consumer_paused") == 1
