"""The overlay for production: scaling, databases, broker, network policies and alerts."""

import ipaddress
from typing import Any

import pytest
import yaml

from kernel.adapters.postgres.connections.engine import POOL_SIZE
from tests.deploy.alerts import TARGET, prometheus_rule
from tests.deploy.compose import image_ports
from tests.deploy.manifests import Object, of_kind, pods
from tests.servers.rabbitmq import DEAD_LETTERS_AGAIN_MS

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


def test_dead_letters_are_retried_as_soon_after_a_lost_leader_as_on_the_brokers_of_the_tests() -> None:
    (broker,) = of_kind("production", "RabbitmqCluster").values()
    setting = f"{{dead_letter_worker_publisher_confirm_timeout, {DEAD_LETTERS_AGAIN_MS}}}"
    assert broker["spec"]["rabbitmq"]["advancedConfig"] == f"[{{rabbit, [{setting}]}}].\n"


# The connections that production allows: (from, to, port); `*` is everywhere, also outside of the cluster.
REACHED: set[tuple[str, str, Any]] = {
    ("*", "gateway", "http"),
    ("gateway", "orders", "http"),
    ("gateway", "payments", "http"),
    ("orders", "payments", "http"),
    *(("monitoring", service, "metrics") for service in SERVICES),
    *((client, "rabbitmq", 5671) for client in (*SERVICES, "declare-topology")),
    *(("rabbitmq", "rabbitmq", port) for port in (4369, 25672)),
    ("monitoring", "rabbitmq", 15691),
    *((service, "redis", 6379) for service in SERVICES),
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

OUTSIDE = {"*", "monitoring", "cnpg-system"}
# The connections to places without a policy of ours: (from, to, port).
LEFT_FOR: set[tuple[str, str, Any]] = {
    ("*", "kube-system", 53),
    *((service, to, port) for service in SERVICES for to, port in (("monitoring", 4318), ("internet", 443))),
    *((f"{name}-db", "*", port) for name in ("orders", "payments") for port in (443, 6443)),
}


def test_nothing_reaches_anything_but_what_it_needs() -> None:
    policies = of_kind("production", "NetworkPolicy").values()
    closed = [policy["spec"] for policy in policies if not {"ingress", "egress"} & policy["spec"].keys()]
    assert closed == [{"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}], "every pod is closed first"
    assert {(client, server, port) for server, client, port in allowed("ingress", "from")} == REACHED


def test_pods_connect_only_to_pods_that_let_them_in_and_to_a_few_places_outside() -> None:
    within = {
        (client, server, SERVICES[server] if port == "http" else port)
        for client, server, port in REACHED
        if client not in OUTSIDE
    }
    assert allowed("egress", "to") == within | LEFT_FOR


def test_the_internet_is_no_private_network() -> None:
    policies = of_kind("production", "NetworkPolicy").values()
    rules = [rule for policy in policies for rule in policy["spec"].get("egress", [])]
    blocks = [peer["ipBlock"] for rule in rules for peer in rule.get("to", []) if "ipBlock" in peer]
    assert {block["cidr"] for block in blocks} == {"0.0.0.0/0", "::/0"}
    for address in (
        "10.1.2.3",
        "172.20.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "fd00::1",
        "fe80::1",
    ):
        reached = [block for block in blocks if within(address, block["cidr"])]
        assert all(any(within(address, network) for network in block["except"]) for block in reached), address


def within(address: str, network: str) -> bool:
    return ipaddress.ip_address(address) in ipaddress.ip_network(network)


def allowed(direction: str, side: str) -> set[tuple[str, str, Any]]:
    """(the policy's pods, the other side, the port) of every rule in that direction."""
    return {
        (own, other, port["port"])
        for policy in of_kind("production", "NetworkPolicy").values()
        for rule in policy["spec"].get(direction, [])
        for own in chosen(policy["spec"]["podSelector"])
        for port in rule["ports"]
        for other in others(rule, side)
    }


def others(rule: Object, side: str) -> set[str]:
    """The pods and namespaces on the other side of a rule; `internet` for addresses."""
    if side not in rule:
        return {"*"}
    return {
        name
        for peer in rule[side]
        for kind, selector in peer.items()
        for name in ({"internet"} if kind == "ipBlock" else chosen(selector))
    }


def chosen(selector: Object) -> set[str]:
    """The names that a selector selects by its one label; `*` for a selector without a label."""
    if not selector:
        return {"*"}
    values = [{value} for value in selector.get("matchLabels", {}).values()]
    values += [set(expression["values"]) for expression in selector.get("matchExpressions", [])]
    (names,) = values
    return names


@each_service
def test_policies_and_monitors_select_pods_that_exist(service: str) -> None:
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
