"""Both overlays of deploy/k8s render, are valid, and agree with the code."""

import copy

import pytest
import yaml

from kernel.adapters.http.health import PROBE_TIMEOUT_S, Probes, health
from kernel.settings import variables
from shop.cli import cli
from shop.services import OURS, load_shop
from tests.deploy.compose import SETTINGS, VERSION, arguments, image_ports
from tests.deploy.manifests import (
    OVERLAYS,
    VERSIONS,
    Object,
    environment_of,
    fault_of,
    is_custom,
    name_of,
    of_kind,
    pod_template,
    pods,
    rendered,
    shops,
)

SERVICES = image_ports()
# The longest time that a service takes to stop.
STOPS_WITHIN_S = 10

each_overlay = pytest.mark.parametrize("overlay", OVERLAYS)


@each_overlay
@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_is_valid(overlay: str, version: str) -> None:
    own = [thing for thing in rendered(overlay) if not is_custom(thing)]
    assert len(own) > 15
    assert [fault for thing in own if (fault := fault_of(thing, version))] == []


@each_overlay
def test_a_wrong_field_in_any_object_is_found(overlay: str) -> None:
    unseen = [
        name_of(thing)
        for thing in rendered(overlay)
        if not is_custom(thing)
        for planted in with_a_wrong_field(thing)
        if not fault_of(planted)
    ]
    assert unseen == []


def with_a_wrong_field(thing: Object) -> list[Object]:
    """Copies of the object: one with an unknown field, and one with an unknown field in a container."""
    copies = [copy.deepcopy(thing) for _ in range(2 if pod_template(thing) else 1)]
    copies[0].get("spec", copies[0])["wrongField"] = 1
    for planted in copies[1:]:
        template = pod_template(planted)
        assert template is not None
        template["spec"]["containers"][0]["wrongField"] = 1
    return copies


@each_overlay
def test_every_command_is_a_command_of_the_shop(overlay: str) -> None:
    for _, container in shops(overlay):
        word, *rest = container["args"]
        assert "command" not in container, "the image's entry point is `shop`"
        cli.commands[word].make_context(word, rest)


@each_overlay
def test_every_service_listens_where_its_settings_say_and_is_found_there(overlay: str) -> None:
    for name, port in SERVICES.items():
        template = pods(overlay)[f"Deployment/{name}"]
        (container,) = template["spec"]["containers"]
        ports = {"http": port}
        if metrics_port := environment_of(overlay, container)["METRICS_PORT"]:
            ports["metrics"] = int(metrics_port)
        assert {one["name"]: one["containerPort"] for one in container["ports"]} == ports
        service = of_kind(overlay, "Service")[name]["spec"]
        led = {one["name"]: (one["port"], one["targetPort"]) for one in service["ports"]}
        assert led == {port_name: (number, port_name) for port_name, number in ports.items()}
        assert service["selector"].items() <= template["metadata"]["labels"].items()


@each_overlay
def test_every_variable_is_a_setting_and_those_of_the_dev_overlay_are_accepted(overlay: str) -> None:
    for owner, container in shops(overlay):
        environment = environment_of(overlay, container)
        names = {name for name in environment if not name.startswith("OTEL_")}
        assert names <= SETTINGS, owner
        if overlay == "dev":
            shop = load_shop(environment)
            taken = {
                name: getattr(shop.settings[service.name], field.name)
                for service in OURS
                for name, field in variables(service.settings).items()
            }
            assert all(taken[name] for name in names if environment[name])


@each_overlay
def test_every_service_gets_the_servers_that_it_needs_and_no_database_of_another(overlay: str) -> None:
    given = {
        owner: {name for name in environment_of(overlay, container) if name.endswith("_DATABASE_URL")}
        for owner, container in shops(overlay)
    }
    both = {"ORDERS_DATABASE_URL", "PAYMENTS_DATABASE_URL"}
    for owner, databases in given.items():
        wanted = {f"{name.upper()}_DATABASE_URL" for name in ("orders", "payments") if name in owner}
        assert databases == (both if owner == "CronJob/audit" else wanted), owner
    for service in SERVICES:
        (container,) = pods(overlay)[f"Deployment/{service}"]["spec"]["containers"]
        assert "RABBITMQ_URL" in environment_of(overlay, container)


@each_overlay
def test_addresses_lead_to_services_of_the_overlay(overlay: str) -> None:
    maps = of_kind(overlay, "ConfigMap").items()
    (settings,) = (thing["data"] for name, thing in maps if name.startswith("shop-settings"))
    assert settings["ORDERS_URL"] == f"http://orders:{SERVICES['orders']}"
    assert settings["PAYMENTS_URL"] == f"http://payments:{SERVICES['payments']}"


@each_overlay
def test_no_pod_is_given_variables_that_kubernetes_makes_of_services(overlay: str) -> None:
    """Kubernetes would set ORDERS_PORT=tcp://…, and no service would start."""
    for owner, template in pods(overlay).items():
        if any(container["name"] == "shop" for container in template["spec"]["containers"]):
            assert template["spec"]["enableServiceLinks"] is False, owner


@each_overlay
def test_the_probes_ask_routes_that_are_there_and_give_them_time_to_answer(overlay: str) -> None:
    routes = {path for handler in health(Probes()).routes for path in [handler.path]}
    for service in SERVICES:
        (container,) = pods(overlay)[f"Deployment/{service}"]["spec"]["containers"]
        probes = {kind: container[f"{kind}Probe"] for kind in ("startup", "readiness", "liveness")}
        assert {probe["httpGet"]["path"] for probe in probes.values()} <= routes
        assert {probe["httpGet"]["port"] for probe in probes.values()} == {"http"}
        assert probes["readiness"]["httpGet"]["path"] == "/health/ready"
        assert probes["readiness"]["timeoutSeconds"] > PROBE_TIMEOUT_S
        assert probes["liveness"]["httpGet"]["path"] == "/health/live", "a restart mends no database"


@each_overlay
def test_a_pod_has_time_to_leave_the_routes_and_to_drain(overlay: str) -> None:
    for service in SERVICES:
        spec = pods(overlay)[f"Deployment/{service}"]["spec"]
        sleeps_s = spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert spec["terminationGracePeriodSeconds"] >= sleeps_s + 2 * STOPS_WITHIN_S


@each_overlay
def test_a_rolling_update_takes_no_service_away(overlay: str) -> None:
    for service in SERVICES:
        strategy = of_kind(overlay, "Deployment")[service]["spec"]["strategy"]["rollingUpdate"]
        assert strategy == {"maxUnavailable": 0, "maxSurge": 1}


@each_overlay
def test_every_pod_keeps_the_restricted_security_standard(overlay: str) -> None:
    (namespace,) = of_kind(overlay, "Namespace").values()
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for owner, template in pods(overlay).items():
        spec = template["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True, owner
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, owner
        assert spec["automountServiceAccountToken"] is False, owner
        for container in spec["containers"]:
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False, owner
            assert context["capabilities"] == {"drop": ["ALL"]}, owner
            assert {"requests", "limits"} <= container["resources"].keys(), owner


@each_overlay
def test_our_image_runs_as_its_own_user_on_a_root_that_it_cannot_write_to(overlay: str) -> None:
    user = int(arguments("USER")[-1].split(":")[0])
    owners = dict(shops(overlay))
    assert len(owners) == 7
    for owner, container in owners.items():
        assert container["securityContext"]["readOnlyRootFilesystem"] is True, owner
        assert pods(overlay)[owner]["spec"]["securityContext"]["runAsUser"] == user, owner


@each_overlay
def test_the_version_is_the_same_in_images_and_in_the_names_of_jobs(overlay: str) -> None:
    images = {container["image"] for _, container in shops(overlay)}
    assert {image.rpartition(":")[2] for image in images} == {VERSION}
    suffix = VERSION.replace(".", "-")
    jobs = ("migrate-orders", "migrate-payments", "declare-topology")
    assert of_kind(overlay, "Job").keys() == {f"{job}-{suffix}" for job in jobs}


@each_overlay
def test_a_job_takes_nothing_whose_name_changes_within_a_version(overlay: str) -> None:
    """The template of a job cannot be changed, but the name of a config map changes with its content."""
    names = of_kind(overlay, "ConfigMap").keys()
    for job in of_kind(overlay, "Job").values():
        assert [name for name in names if name in yaml.safe_dump(job)] == []
