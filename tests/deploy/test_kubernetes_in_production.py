"""What the overlay for production promises beyond the others."""

from typing import Any

import pytest
import yaml

from gateway.adapters.inbound.accounts import AccountsController
from gateway.adapters.inbound.orders import OrdersController
from gateway.main import api
from gateway.settings import GatewaySettings
from kernel.adapters.postgres.connections.engine import POOL_SIZE
from tests.deploy.alerts import TARGET, prometheus_rule
from tests.deploy.compose import image_ports
from tests.deploy.manifests import (
    Object,
    of_kind,
    pods,
)

SERVICES = image_ports()
each_service = pytest.mark.parametrize("service", SERVICES)


def test_production_holds_no_secret() -> None:
    assert of_kind("production", "Secret") == {}


@each_service
def test_every_service_scales_and_is_spread_in_production(service: str) -> None:
    deployment = of_kind("production", "Deployment")[service]["spec"]
    scaler = of_kind("production", "HorizontalPodAutoscaler")[service]["spec"]
    budget = of_kind("production", "PodDisruptionBudget")[service]["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    assert "replicas" not in deployment, "else every deployment undoes what the autoscaler did"
    assert scaler["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": service}
    assert scaler["minReplicas"] >= 3
    assert budget["maxUnavailable"] == 1
    assert budget["selector"]["matchLabels"].items() <= labels.items()
    constraints = deployment["template"]["spec"]["topologySpreadConstraints"]
    spread = {constraint["topologyKey"]: constraint["matchLabelKeys"] for constraint in constraints}
    assert spread.keys() == {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}
    assert all("app.kubernetes.io/name" in keys for keys in spread.values())


def test_databases_have_three_instances_and_confirm_a_commit_on_two() -> None:
    clusters = of_kind("production", "Cluster")
    assert clusters.keys() == {"orders-db", "payments-db"}
    for name, cluster in clusters.items():
        spec = cluster["spec"]
        assert spec["instances"] == 3
        assert spec["postgresql"]["synchronous"]["number"] == 1
        assert spec["postgresql"]["synchronous"]["dataDurability"] == "required"
        assert spec["bootstrap"]["initdb"]["database"] == name.removesuffix("-db")
        assert any(plugin["isWALArchiver"] for plugin in spec["plugins"])
        assert of_kind("production", "ScheduledBackup")[name]["spec"]["cluster"] == {"name": name}


def test_databases_take_the_connections_of_the_most_replicas() -> None:
    for name in ("orders", "payments"):
        replicas = of_kind("production", "HorizontalPodAutoscaler")[name]["spec"]["maxReplicas"]
        parameters = of_kind("production", "Cluster")[f"{name}-db"]["spec"]["postgresql"]["parameters"]
        surge_audit_and_operator = POOL_SIZE + 20
        assert int(parameters["max_connections"]) >= replicas * POOL_SIZE + surge_audit_and_operator


def test_the_broker_has_three_nodes_that_stop_in_a_minority() -> None:
    (broker,) = of_kind("production", "RabbitmqCluster").values()
    assert broker["spec"]["replicas"] == 3
    assert "cluster_partition_handling = pause_minority" in broker["spec"]["rabbitmq"]["additionalConfig"]


def test_the_public_route_leads_to_what_clients_may_ask_and_to_nothing_else() -> None:
    (route,) = of_kind("production", "HTTPRoute").values()
    (rule,) = route["spec"]["rules"]
    opened = {match["path"]["value"] for match in rule["matches"]}
    assert {AccountsController.path, OrdersController.path} <= opened
    assert {api(GatewaySettings()).ui_path, "/schema"} <= opened
    assert [path for path in opened if path == "/" or path.startswith(("/health", "/metrics"))] == []
    assert rule["backendRefs"] == [{"name": "gateway", "port": SERVICES["gateway"]}]


# Who reaches what, in production: (from, to, port); `*` is everywhere, also outside of the cluster.
REACHED: set[tuple[str, str, Any]] = {
    ("*", "gateway", "http"),
    ("gateway", "orders", "http"),
    ("gateway", "payments", "http"),
    ("orders", "payments", "http"),
    *(("monitoring", service, "http") for service in ("orders", "payments")),
    *((service, "rabbitmq", 5672) for service in SERVICES),
    *(("rabbitmq", "rabbitmq", port) for port in (4369, 25672)),
    ("monitoring", "rabbitmq", 15692),
    *(
        (client, f"{name}-db", 5432)
        for name in ("orders", "payments")
        for client in (name, f"migrate-{name}", "audit", f"{name}-db", "cnpg-system")
    ),
    *(
        (client, f"{name}-db", 8000)
        for name in ("orders", "payments")
        for client in (f"{name}-db", "cnpg-system")
    ),
    *(("monitoring", f"{name}-db", 9187) for name in ("orders", "payments")),
}


def test_nothing_reaches_anything_but_what_it_needs() -> None:
    policies = of_kind("production", "NetworkPolicy").values()
    closed = [policy["spec"] for policy in policies if "ingress" not in policy["spec"]]
    assert closed == [{"podSelector": {}, "policyTypes": ["Ingress"]}], "every pod is closed first"
    reached = {
        (client, server, port["port"])
        for policy in policies
        for rule in policy["spec"].get("ingress", [])
        for server in chosen(policy["spec"]["podSelector"])
        for port in rule["ports"]
        for client in clients(rule)
    }
    assert reached == REACHED


def clients(rule: Object) -> set[str]:
    """The pods and namespaces that an ingress rule lets in."""
    if "from" not in rule:
        return {"*"}
    return {name for peer in rule["from"] for selector in peer.values() for name in chosen(selector)}


def chosen(selector: Object) -> set[str]:
    """The names that a selector asks for; ours ask for one label."""
    values = [{value} for value in selector.get("matchLabels", {}).values()]
    values += [set(expression["values"]) for expression in selector.get("matchExpressions", [])]
    (names,) = values
    return names


@each_service
def test_what_policies_and_monitors_choose_is_there(service: str) -> None:
    labels = pods("production")[f"Deployment/{service}"]["metadata"]["labels"]
    assert labels["app.kubernetes.io/name"] == service
    monitored = of_kind("production", "ServiceMonitor")["shop"]["spec"]
    assert service in chosen(monitored["selector"])
    assert (
        of_kind("production", "Service")[service]["metadata"]["labels"]["app.kubernetes.io/name"] == service
    )


def test_the_alerts_are_those_of_prometheus() -> None:
    assert yaml.safe_load(TARGET.read_text()) == prometheus_rule(), (
        f"{TARGET} is old: see tests/deploy/alerts.py"
    )
