"""docs/telemetry.md agrees with the code, and dashboards and alerts agree with docs/telemetry.md."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client import CollectorRegistry

from kernel.adapters.telemetry.messaging import MessagingMetrics
from kernel.adapters.telemetry.metrics import StoreMetrics
from kernel.adapters.telemetry.semantic import Renamed
from kernel.adapters.telemetry.telemetry import Telemetry
from orders.adapters.outbound.telemetry import OrderMetrics

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/telemetry.md").read_text()
ALERTS = sorted((ROOT / "deploy/prometheus/alerts").glob("*.yml"))
DASHBOARDS = sorted((ROOT / "deploy/grafana/dashboards").glob("*.json"))

SUFFIXES = {"histogram": ("_bucket", "_count", "_sum"), "counter": ("",), "gauge": ("",)}
# Labels that Prometheus adds.
SCRAPED = {"instance", "job", "le"}
PROCESS = re.compile(r"process_[a-z_]+")


@dataclass(frozen=True)
class Metric:
    name: str
    type: str
    labels: frozenset[str]
    services: frozenset[str]


def rows(header: str) -> Iterator[list[str]]:
    """The cells of the tables that have this header."""
    for part in PAGE.split(header)[1:]:
        for row in part.split("\n\n")[0].splitlines()[2:]:
            yield [cell.strip() for cell in row.strip("|").split("|")]


def named(cell: str) -> frozenset[str]:
    return frozenset(re.findall(r"`([^`]+)`", cell))


def services(cell: str) -> frozenset[str]:
    return frozenset(("gateway", "orders", "payments") if cell == "all" else cell.split(", "))


DOCUMENTED = {
    name: Metric(name, kind, named(labels), services(where))
    for (cell, kind, _, labels, where) in rows("| name | type |")
    for name in named(cell)
}
SPANS = {
    (service, name, kind)
    for cell, kind, where in rows("| span | kind |")
    for name in named(cell)
    for service in services(where)
}


def registry_of(service: str) -> CollectorRegistry:
    registry = Telemetry().metrics.registry
    if service != "gateway":
        StoreMetrics(registry, [])
        MessagingMetrics(registry, "rabbitmq", service)
    if service == "orders":
        OrderMetrics(registry)
    return registry


def labels_in_code(collector: Any) -> Iterable[str]:
    if not isinstance(collector, Renamed):
        return tuple(collector._labelnames)
    return collector.labels(dict.fromkeys(collector.metric._labelnames, "x")).keys()


def metrics_of_the_code() -> Iterator[Metric]:
    found: dict[tuple[str, str, frozenset[str]], set[str]] = {}
    for service in ("gateway", "orders", "payments"):
        registry = registry_of(service)
        for family in registry.collect():
            if not PROCESS.fullmatch(family.name):
                name = f"{family.name}_total" if family.type == "counter" else family.name
                collector: Any = registry._names_to_collectors[name]
                key = (name, family.type, frozenset(labels_in_code(collector)))
                found.setdefault(key, set()).add(service)
    for (name, kind, labels), where in found.items():
        yield Metric(name, kind, labels, frozenset(where))


def test_the_page_lists_every_metric_with_its_type_labels_and_services() -> None:
    assert set(DOCUMENTED.values()) == set(metrics_of_the_code())


def test_every_metric_has_a_unit_and_seconds_are_in_its_name() -> None:
    for name, _, unit, _, _ in rows("| name | type |"):
        assert unit
        assert (unit == "seconds") == name.strip("`").endswith("_seconds")


def alert_rules() -> Iterator[dict[str, Any]]:
    for file in ALERTS:
        for group in yaml.safe_load(file.read_text())["groups"]:
            yield from group["rules"]


def queries() -> Iterator[tuple[str, str]]:
    for rule in alert_rules():
        yield rule["alert"], rule["expr"]
    for file in DASHBOARDS:
        for panel in json.loads(file.read_text())["panels"]:
            for target in panel["targets"]:
                yield panel["title"], target["expr"].replace("$__rate_interval", "5m")


QUERIES = [pytest.param(query, id=f"{title}: {query}"[:60]) for title, query in queries()]


def asked_for(query: str) -> tuple[set[str], set[str]]:
    """The names of series and of labels in a query."""
    names: set[str] = set()
    labels: set[str] = set()

    def visit(node: Any) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            names.add(node.name)
            labels.update(matcher.name for matcher in node.matchers.matchers)
        elif isinstance(node, promql_parser.AggregateExpr) and node.modifier is not None:
            labels.update(node.modifier.labels)

    promql_parser.walk(promql_parser.parse(query), visit)
    return names, labels


def labels_of(series: str) -> frozenset[str] | None:
    """The labels that the page lists for a series; None for a series that it does not list."""
    for metric in DOCUMENTED.values():
        if series in [metric.name + suffix for suffix in SUFFIXES[metric.type]]:
            return metric.labels
    return frozenset() if PROCESS.fullmatch(series) else None


@pytest.mark.parametrize("query", QUERIES)
def test_dashboards_and_alerts_ask_for_series_and_labels_that_exist(query: str) -> None:
    names, labels = asked_for(query)
    assert names
    for name in names:
        there = labels_of(name)
        assert there is not None, f"there is no {name}"
        assert labels <= there | SCRAPED


@pytest.mark.parametrize(
    "wrong", ["shop_outbox_event", "max by (kind) (shop_outbox_events)", 'shop_bus_healthy{type="x"}']
)
def test_a_wrong_name_is_found(wrong: str) -> None:
    names, labels = asked_for(wrong)
    assert any((there := labels_of(name)) is None or not labels <= there | SCRAPED for name in names)


def test_every_alert_says_what_is_the_matter() -> None:
    rules = list(alert_rules())
    assert len({rule["alert"] for rule in rules}) == len(rules) > 5
    for rule in rules:
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"]["summary"]
        used = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
        assert used <= asked_for(rule["expr"])[1] | SCRAPED


def test_every_metric_is_on_a_dashboard() -> None:
    shown = {name for query in QUERIES for name in asked_for(str(query.values[0]))[0]}
    for metric in (one for one in DOCUMENTED.values() if one.name.startswith("shop_")):
        assert shown & {metric.name + suffix for suffix in SUFFIXES[metric.type]}, metric.name
