"""docker-compose.yml, held against the image and the code.

No engine is needed: what a start would trip over is read from the files.
"""

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from kernel.adapters.rabbit.definitions import OPERATOR, definitions, password_variable
from shop.cli import cli
from shop.services import load_shop
from tests.deploy.compose import (
    COMPOSE,
    CONTAINERS,
    JOBS,
    MIGRATIONS,
    OBSERVERS,
    OURS,
    ROOT,
    SERVICE_ROLE,
    SERVICES,
    SETTINGS,
    TEXT,
    arguments,
    image_ports,
)

# The one replica of each service counts for itself.
OF_NOBODY = ("SHOP_RATE_LIMIT_URL",)
FOREIGN_PORTS = {"postgresql": 5432, "amqp": 5672}

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


def test_what_is_started_unasked_is_the_shop_and_its_servers() -> None:
    asked_for = {name for name, container in CONTAINERS.items() if "profiles" in container}
    assert asked_for == OBSERVERS | {"audit", "keycloak"}


def test_the_file_starts_three_services_two_databases_and_a_broker() -> None:
    assert set(SERVICES) == {"orders", "payments", "gateway"}
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
    """Those of OpenTelemetry are its library's own."""
    names = {name for name in OURS[name]["environment"] if not name.startswith("OTEL_")}
    assert names <= SETTINGS


@each_of_ours
def test_every_address_leads_to_another_container_and_the_port_it_listens_on(name: str) -> None:
    environment = OURS[name]["environment"]
    addresses = [value for key, value in environment.items() if key.endswith("_URL") and key not in OF_NOBODY]
    assert addresses
    assert [environment[key] for key in OF_NOBODY] == [""] * len(OF_NOBODY)
    for url in map(urlsplit, addresses):
        assert url.hostname in CONTAINERS
        assert url.port == FOREIGN_PORTS.get(url.scheme, image_ports().get(url.hostname))


@each_of_ours
def test_every_address_of_a_server_carries_the_name_and_password_that_the_server_was_given(name: str) -> None:
    environment = OURS[name]["environment"]
    for key in {key for key in environment if key.endswith(("_DATABASE_URL", "_MIGRATION_URL"))}:
        url = urlsplit(environment[key])
        given = CONTAINERS[str(url.hostname)]["environment"]
        assert url.path == f"/{given['POSTGRES_DB']}" == f"/{key.split('_')[0].lower()}"
        roles = {
            "DATABASE": ("service", given["SERVICE_PASSWORD"]),
            "MIGRATION": (given["POSTGRES_USER"], given["POSTGRES_PASSWORD"]),
        }
        assert (url.username, url.password) == roles[key.split("_")[1]]
        assert len(set(roles.values())) == 2
    if "RABBITMQ_URL" in environment:
        url = urlsplit(environment["RABBITMQ_URL"])
        given = CONTAINERS[str(url.hostname)]["environment"]
        assert url.username == (name if name in SERVICES else OPERATOR), "each is a user of its own"
        assert url.password == given[password_variable(str(url.username))]


def test_the_broker_is_given_a_password_for_each_of_its_users() -> None:
    users = definitions(load_shop({}).catalog)["users"]
    wanted = {password_variable(user["name"]) for user in users}
    assert set(CONTAINERS["rabbitmq"]["environment"]) == wanted
    passwords = list(CONTAINERS["rabbitmq"]["environment"].values())
    assert len(set(passwords)) == len(passwords)


@each_service
def test_every_service_waits_for_the_topology_that_its_user_may_not_declare(name: str) -> None:
    waited_for, before = set[str](), [name]
    while before:
        found = CONTAINERS[before.pop()].get("depends_on", {})
        waited_for |= set(found)
        before += found
    assert OURS["declare-topology"]["command"] == ["broker", "declare"]
    assert OURS["declare-topology"]["depends_on"]["rabbitmq"]["condition"] == "service_healthy"
    assert "declare-topology" in waited_for


def test_the_broker_loads_what_its_start_writes_from_the_files_that_it_is_given() -> None:
    """Nobody else at the machine may read it: it has the passwords."""
    broker, folder = CONTAINERS["rabbitmq"], ROOT / "deploy/rabbitmq"
    mounted = dict(volume.split(":")[:2][::-1] for volume in broker["volumes"] if volume.startswith("./"))
    assert mounted["/etc/shop"] == "./deploy/rabbitmq"
    assert mounted["/etc/rabbitmq/conf.d/20-shop.conf"] == "./deploy/rabbitmq/shop.conf"
    assert broker["entrypoint"] == ["sh", "/etc/shop/start.sh"]
    written = re.findall(r"umask 077 && .*> (\S+)\)", (folder / "start.sh").read_text())
    loaded = re.findall(r"^load_definitions = (\S+)$", (folder / "shop.conf").read_text(), re.MULTILINE)
    assert written == loaded
    assert broker["tmpfs"] == [str(Path(loaded[0]).parent)]


@pytest.mark.parametrize("name", ["orders", "payments"])
def test_every_service_waits_for_the_migration_of_its_database(name: str) -> None:
    service, job = OURS[name], OURS[f"migrate-{name}"]
    variable = f"{name.upper()}_DATABASE_URL"
    assert service["depends_on"][f"migrate-{name}"]["condition"] == "service_completed_successfully"
    assert job["command"] == ["migrate", name]
    assert job["environment"][variable] == service["environment"][variable]
    database = str(urlsplit(job["environment"][variable]).hostname)
    assert job["depends_on"][database]["condition"] == "service_healthy"


@each_of_ours
def test_only_a_migration_has_the_owner_of_a_database(name: str) -> None:
    owners = {key for key in OURS[name]["environment"] if key.endswith("_MIGRATION_URL")}
    assert owners == ({f"{OURS[name]['command'][1].upper()}_MIGRATION_URL"} if name in MIGRATIONS else set())


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


def test_every_image_that_is_not_ours_is_pinned_to_an_exact_version() -> None:
    stages = [rest.partition(" AS ")[2] for rest in arguments("FROM")]
    bases = [rest.split()[0] for rest in arguments("FROM") if rest.split()[0] not in stages]
    images = [container["image"] for container in CONTAINERS.values() if "image" in container]
    assert bases
    for image in bases + images:
        assert re.fullmatch(r"[a-z./-]+:v?\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?", image)


def test_what_observes_is_asked_for_and_reads_files_that_are_there() -> None:
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
