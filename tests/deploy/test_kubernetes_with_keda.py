"""The optional overlay in which KEDA scales orders and payments. All else is as in production."""

import pytest
import yaml

from kernel.adapters.rabbit.topology import service_queue
from tests.deploy.compose import ROOT
from tests.deploy.manifests import VERSIONS, Object, fault_of, is_custom, name_of, of_kind, rendered

KEDA = "production-keda"
SCALED = ("orders", "payments")


def by_name(overlay: str) -> dict[str, Object]:
    return {name_of(thing): thing for thing in rendered(overlay)}


def test_it_differs_from_production_only_in_the_scaling_of_consumers() -> None:
    production, keda = by_name("production"), by_name(KEDA)
    gone = production.keys() - keda.keys()
    assert gone == {f"HorizontalPodAutoscaler/{name}" for name in SCALED}
    assert keda.keys() - production.keys() == {
        *(f"ScaledObject/{name}" for name in SCALED),
        *(f"TriggerAuthentication/rabbitmq-{name}" for name in SCALED),
        "ConfigMap/keda-rabbitmq",
        "NetworkPolicy/keda-reaches-rabbitmq",
    }
    assert all(keda[name] == thing for name, thing in production.items() if name not in gone)


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_accepts_the_objects_of_its_own_kinds(version: str) -> None:
    own = [thing for thing in rendered(KEDA) if not is_custom(thing)]
    assert list(filter(None, (fault_of(thing, version) for thing in own))) == []


@pytest.mark.parametrize("name", SCALED)
def test_a_consumer_is_scaled_within_the_bounds_of_production_by_processor_and_queue(name: str) -> None:
    scaled = of_kind(KEDA, "ScaledObject")[name]["spec"]
    bounds = of_kind("production", "HorizontalPodAutoscaler")[name]["spec"]
    assert scaled["minReplicaCount"] == bounds["minReplicas"]
    assert scaled["maxReplicaCount"] == bounds["maxReplicas"]
    assert scaled["scaleTargetRef"]["name"] == name
    assert name in of_kind(KEDA, "Deployment")
    cpu, queue = scaled["triggers"]
    (processor,) = bounds["metrics"]
    assert cpu["metadata"]["value"] == str(processor["resource"]["target"]["averageUtilization"])
    assert queue["metadata"]["queueName"] == service_queue(name).name


@pytest.mark.parametrize("name", SCALED)
def test_keda_asks_the_broker_as_the_service_does_over_tls(name: str) -> None:
    trigger = of_kind(KEDA, "ScaledObject")[name]["spec"]["triggers"][1]
    auth = of_kind(KEDA, "TriggerAuthentication")[trigger["authenticationRef"]["name"]]["spec"]
    secrets = {one["parameter"]: (one["name"], one["key"]) for one in auth["secretTargetRef"]}
    (container,) = of_kind(KEDA, "Deployment")[name]["spec"]["template"]["spec"]["containers"]
    given = {one["name"]: one for one in container["env"]}
    for parameter in ("username", "password"):
        variable = {"username": "RABBITMQ_USER", "password": "RABBITMQ_PASSWORD"}[parameter]
        of_service = given[variable]["valueFrom"]["secretKeyRef"]
        assert secrets[parameter] == (of_service["name"], of_service["key"])
    (certificate,) = [one for one in rendered(KEDA) if name_of(one) == "Certificate/rabbitmq"]
    assert secrets["ca"] == (certificate["spec"]["secretName"], "ca.crt")
    host = trigger["metadata"]["host"]
    assert host.startswith("amqps://")
    assert host.removeprefix("amqps://").partition(":")[0] in certificate["spec"]["dnsNames"]
    assert f"@{host.removeprefix('amqps://')}" in given["RABBITMQ_URL"]["value"]
    [tls] = auth["configMapTargetRef"]
    assert of_kind(KEDA, "ConfigMap")[tls["name"]]["data"][tls["key"]] == "enable"


def test_only_keda_may_also_connect_to_the_broker() -> None:
    policy = of_kind(KEDA, "NetworkPolicy")["keda-reaches-rabbitmq"]["spec"]
    services = of_kind(KEDA, "NetworkPolicy")["the-services-reach-rabbitmq"]["spec"]
    assert policy["podSelector"] == services["podSelector"]
    [rule] = policy["ingress"]
    assert rule["ports"] == services["ingress"][0]["ports"]
    assert rule["from"] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "keda"}}}]
    said = yaml.safe_load((ROOT / "deploy/k8s/overlays/production-keda/kustomization.yaml").read_text())
    assert said["resources"][0] == "../production"
