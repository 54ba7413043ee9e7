"""docker-compose.yml agrees with the image and the code. The tests read the files and need no engine."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from shop.cli import cli
from shop.services import load_shop
from tests.deploy.compose import (
    COMPOSE,
    CONTAINERS,
    JOBS,
    OBSERVERS,
    OURS,
    ROOT,
    SERVICE_ROLE,
    SERVICES,
    SETTINGS,
    TEXT,
    image_ports,
)

each_container = pytest.mark.parametrize("name", CONTAINERS)
each_of_ours = pytest.mark.parametrize("name", OURS)
each_service = pytest.mark.parametrize("name", SERVICES)


def compose_schema(path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_compose_file_is_valid_against_the_compose_schema() -> None:
    checked = compose_schema(COMPOSE)
    assert checked.returncode == 0, checked.stdout


def test_the_compose_schema_refuses_a_misspelt_field(tmp_path: Path) -> None:
    planted = tmp_path / "docker-compose.yml"
    planted.write_text(COMPOSE.read_text().replace("depends_on:", "depend_on:", 1))
    checked = compose_schema(planted)
    assert checked.returncode == 1
    assert "depend_on" in checked.stdout


def test_the_shop_and_its_servers_start_by_default_and_nothing_else() -> None:
    asked_for = {name for name, container in CONTAINERS.items() if "profiles" in container}
    assert asked_for == OBSERVERS | {"audit", "keycloak"}


def test_the_file_starts_two_databases_and_a_broker() -> None:
    images = [
        container["image"].split(":")[0]
        for name, container in CONTAINERS.items()
        if "image" in container and "profiles" not in container
    ]
    assert sorted(images) == ["postgres", "postgres", "rabbitmq"]


@each_container
def test_every_published_port_is_bound_to_loopback(name: str) -> None:
    for port in CONTAINERS[name].get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port)


@each_service
def test_every_service_is_published_at_the_port_it_listens_on(name: str) -> None:
    port = image_ports()[name]
    assert port == load_shop({}).settings[name].port
    assert SERVICES[name]["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert SERVICES[name]["environment"]["BIND_HOST"] == "0.0.0.0"


@each_of_ours
def test_every_variable_of_a_container_is_a_setting_of_the_shop(name: str) -> None:
    """Except the variables of OpenTelemetry, which its library reads."""
    names = {name for name in OURS[name]["environment"] if not name.startswith("OTEL_")}
    assert names <= SETTINGS


@each_container
def test_every_container_that_stays_up_has_a_health_check(name: str) -> None:
    own = CONTAINERS[name].get("healthcheck", {})
    if name in JOBS:
        assert own == {"disable": True}, "the image's check asks a service, and a job is none"
    elif name not in OBSERVERS:
        assert "disable" not in own
        assert "test" in own or name in OURS


@each_of_ours
def test_every_command_is_a_command_of_the_shop(name: str) -> None:
    word, *rest = OURS[name]["command"]
    cli.commands[word].make_context(word, rest)


@each_container
def test_every_container_has_limits_and_a_restart_policy(name: str) -> None:
    container = CONTAINERS[name]
    assert {"mem_limit", "cpus"} <= set(container)
    assert container["cpus"] <= 1, "docker refuses more than the machine has"
    assert container["restart"] == ("no" if name in JOBS else "unless-stopped")
    assert name in JOBS or "stop_grace_period" in container


@each_of_ours
def test_every_container_of_ours_has_a_read_only_root_and_no_capabilities(name: str) -> None:
    assert OURS[name]["read_only"] is True
    assert OURS[name]["tmpfs"] == ["/tmp"]
    assert OURS[name]["cap_drop"] == ["ALL"]


@each_container
def test_no_container_has_capabilities_or_gains_them(name: str) -> None:
    assert CONTAINERS[name]["cap_drop"] == ["ALL"]
    assert CONTAINERS[name]["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", ["orders-db", "payments-db", "rabbitmq"])
def test_no_server_starts_as_root_to_become_another_user_which_takes_capabilities(name: str) -> None:
    assert CONTAINERS[name]["user"] == CONTAINERS[name]["image"].partition(":")[0]


@pytest.mark.parametrize("name", ["orders-db", "payments-db", "rabbitmq"])
def test_every_server_keeps_its_data_in_a_volume_of_its_own(name: str) -> None:
    folder = "/var/lib/rabbitmq" if name == "rabbitmq" else "/var/lib/postgresql"
    roles = f"./{SERVICE_ROLE}:/docker-entrypoint-initdb.d/service.sql:ro"
    users = [
        "./deploy/rabbitmq:/etc/shop:ro",
        "./deploy/rabbitmq/shop.conf:/etc/rabbitmq/conf.d/20-shop.conf:ro",
    ]
    made_with = users if name == "rabbitmq" else [roles]
    assert CONTAINERS[name]["volumes"] == [f"{name}:{folder}", *made_with]
    assert name in yaml.safe_load(TEXT)["volumes"]


def test_observers_start_on_request_only_and_read_files_that_exist() -> None:
    assert {"prometheus", "grafana", "otel-collector"} <= OBSERVERS
    mounted = [volume.split(":")[0] for name in OBSERVERS for volume in CONTAINERS[name].get("volumes", [])]
    folders = [path for path in mounted if path.startswith("./")]
    assert folders
    assert [path for path in folders if not (ROOT / path).is_dir()] == []


def test_grafana_lets_in_nobody_without_a_password() -> None:
    environment = CONTAINERS["grafana"]["environment"]
    assert "GF_AUTH_ANONYMOUS_ENABLED" not in environment
    assert environment["GF_USERS_ALLOW_SIGN_UP"] == "false"
    assert "GF_SECURITY_ADMIN_PASSWORD: ${GRAFANA_PASSWORD:-shop}" in COMPOSE.read_text()


def test_prometheus_asks_every_service_at_its_port() -> None:
    jobs = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())["scrape_configs"]
    targets = {target for job in jobs for group in job["static_configs"] for target in group["targets"]}
    assert {f"{service}:{port}" for service, port in image_ports().items()} <= targets
    assert {target.split(":")[0] for target in targets} <= set(CONTAINERS)


def test_traces_go_through_the_collector_to_a_container_that_keeps_them() -> None:
    collector = yaml.safe_load((ROOT / "deploy/otel/collector.yml").read_text())
    pipeline = collector["service"]["pipelines"]["traces"]
    for part in ("receivers", "processors", "exporters"):
        assert set(pipeline[part]) == set(collector[part])
    assert collector["exporters"]["otlp"]["endpoint"].split(":")[0] in OBSERVERS
    assert "OTEL_EXPORTER_OTLP_ENDPOINT=http://otel-collector:4318" in COMPOSE.read_text()
