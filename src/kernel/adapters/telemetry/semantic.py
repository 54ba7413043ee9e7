"""Exposes metrics of the shop a second time, named as in OpenTelemetry's semantic conventions.

Some dashboards know only these names. The values are derived from the shop's metrics at each scrape.
"""

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

Labels = Mapping[str, str]


class Renamed(Collector):
    """The samples of `metric` under another name. `labels` turns the labels of a sample into new labels."""

    def __init__(
        self,
        metric: MetricWrapperBase,
        name: str,
        labels: Callable[[Labels], dict[str, str]],
        registry: CollectorRegistry,
    ) -> None:
        self.metric = metric
        self._name = name
        self.labels = labels
        registry.register(self)

    def describe(self) -> Iterable[Metric]:
        return [Metric(self._name, family.documentation, family.type) for family in self.metric.describe()]

    def collect(self) -> Iterable[Metric]:
        for family in self.metric.collect():
            renamed = Metric(self._name, family.documentation, family.type)
            renamed.samples = [self._sample(sample, family.name) for sample in family.samples]
            yield renamed

    def _sample(self, sample: Sample, name: str) -> Sample:
        bucket = {"le": sample.labels["le"]} if "le" in sample.labels else {}
        suffix = sample.name.removeprefix(name)
        return Sample(f"{self._name}{suffix}", self.labels(sample.labels) | bucket, sample.value)


def of_requests(labels: Labels) -> dict[str, str]:
    """The labels of HTTP requests. An unmatched route becomes an empty label, which Prometheus ignores."""
    return {
        "http_request_method": labels["method"],
        "http_route": "" if labels["route"] == "unmatched" else labels["route"],
        "http_response_status_code": labels["status"],
    }


def of_used_connections(_: Labels) -> dict[str, str]:
    return {"db_client_connection_pool_name": "shop", "db_client_connection_state": "used"}


def of_connections(_: Labels) -> dict[str, str]:
    return {"db_client_connection_pool_name": "shop"}
