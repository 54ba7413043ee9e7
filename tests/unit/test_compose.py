"""docker-compose.yml and deploy/Dockerfile, held against each other and against the code.

No engine is needed: what a build or a start would trip over is read from the files.
"""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
import yaml

from kernel.settings import Settings
from shop.cli import main

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
FOREIGN_PORTS = {"postgresql": 5432, "amqp": 5672}

# `${NAME:-default}` becomes its default, as compose does it when nothing is set.
TEXT = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", COMPOSE.read_text())
CONTAINERS: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
OURS = {name: container for name, container in CONTAINERS.items() if "build" in container}
SERVICES = {name: container for name, container in OURS.items() if container["command"][0] == "serve"}

each_container = pytest.mark.parametrize("name", CONTAINERS)
each_of_ours = pytest.mark.parametrize("name", OURS)
each_service = pytest.mark.parametrize("name", SERVICES)


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile as (instruction, arguments), comments dropped and continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "deploy/Dockerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n", "", text).splitlines()
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines if line)]


def arguments(instruction: str) -> list[str]:
    return [rest for word, rest in instructions() if word == instruction]


def image_ports() -> dict[str, int]:
    """The port of each service by its name, from the image's environment."""
    pairs = re.findall(r"(\w+)_PORT=(\d+)", " ".join(arguments("ENV")))
    return {name.lower(): int(port) for name, port in pairs}


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


def test_the_file_starts_three_services_two_databases_and_a_broker() -> None:
    assert set(SERVICES) == {"orders", "payments", "gateway"}
    images = [container["image"].split(":")[0] for container in CONTAINERS.values() if "image" in container]
    assert sorted(images) == ["postgres", "postgres", "rabbitmq"]


@each_container
def test_every_published_port_is_bound_to_loopback(name: str) -> None:
    for port in CONTAINERS[name].get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port)


@each_service
def test_every_service_is_published_at_the_port_it_listens_on(name: str) -> None:
    port = image_ports()[name]
    defaults = {field.name: field.default for field in msgspec.structs.fields(Settings)}
    assert port == defaults[f"{name}_port"]
    assert SERVICES[name]["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert SERVICES[name]["environment"]["BIND_HOST"] == "0.0.0.0"


@each_of_ours
def test_every_variable_of_a_container_is_a_setting_of_the_shop(name: str) -> None:
    variables = {variable.lower() for variable in OURS[name]["environment"]}
    assert variables <= set(Settings.__struct_fields__)


@each_of_ours
def test_every_address_leads_to_another_container_and_the_port_it_listens_on(name: str) -> None:
    addresses = [value for key, value in OURS[name]["environment"].items() if key.endswith("_URL")]
    assert addresses
    for url in map(urlsplit, addresses):
        assert url.hostname in CONTAINERS
        assert url.port == FOREIGN_PORTS.get(url.scheme, image_ports().get(url.hostname))


@each_of_ours
def test_every_address_of_a_server_carries_the_name_and_password_that_the_server_was_given(name: str) -> None:
    environment = OURS[name]["environment"]
    for key in {"ORDERS_DATABASE_URL", "PAYMENTS_DATABASE_URL"} & set(environment):
        url = urlsplit(environment[key])
        given = CONTAINERS[str(url.hostname)]["environment"]
        assert url.path == f"/{given['POSTGRES_DB']}" == f"/{key.split('_')[0].lower()}"
        assert (url.username, url.password) == (given["POSTGRES_USER"], given["POSTGRES_PASSWORD"])
    if "RABBITMQ_URL" in environment:
        url = urlsplit(environment["RABBITMQ_URL"])
        given = CONTAINERS[str(url.hostname)]["environment"]
        assert (url.username, url.password) == (
            given["RABBITMQ_DEFAULT_USER"],
            given["RABBITMQ_DEFAULT_PASS"],
        )


@pytest.mark.parametrize("name", ["orders", "payments"])
def test_every_service_waits_for_the_migration_of_its_database(name: str) -> None:
    service, job = OURS[name], OURS[f"migrate-{name}"]
    variable = f"{name.upper()}_DATABASE_URL"
    assert service["depends_on"][f"migrate-{name}"]["condition"] == "service_completed_successfully"
    assert job["command"] == ["migrate", name]
    assert job["environment"][variable] == service["environment"][variable]
    database = str(urlsplit(job["environment"][variable]).hostname)
    assert job["depends_on"][database]["condition"] == "service_healthy"


@each_container
def test_every_container_that_stays_up_has_a_health_check(name: str) -> None:
    own = CONTAINERS[name].get("healthcheck", {})
    if name.startswith("migrate-"):
        assert own == {"disable": True}, "the image's check asks a service, and a job is none"
    else:
        assert "disable" not in own
        assert "test" in own or name in OURS


@each_of_ours
def test_every_command_is_a_command_of_the_shop(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = OURS[name]["command"]
    monkeypatch.setattr(sys, "argv", ["shop", *command, "--help"])
    with pytest.raises(SystemExit) as ended:
        main()
    usage = capsys.readouterr().out.split("\n\n")[0]
    assert not ended.value.code
    assert set(command) <= set(re.findall(r"[\w-]+", usage))


@each_container
def test_every_container_has_limits_and_a_restart_policy(name: str) -> None:
    container = CONTAINERS[name]
    assert {"mem_limit", "cpus"} <= set(container)
    assert container["cpus"] <= 1, "docker refuses more than the machine has"
    assert container["restart"] == ("no" if name.startswith("migrate-") else "unless-stopped")
    assert name.startswith("migrate-") or "stop_grace_period" in container


@each_of_ours
def test_every_container_of_ours_has_a_read_only_root_and_no_capabilities(name: str) -> None:
    assert OURS[name]["read_only"] is True
    assert OURS[name]["tmpfs"] == ["/tmp"]
    assert OURS[name]["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("name", ["orders-db", "payments-db", "rabbitmq"])
def test_every_server_keeps_its_data_in_a_volume_of_its_own(name: str) -> None:
    folder = "/var/lib/rabbitmq" if name == "rabbitmq" else "/var/lib/postgresql"
    assert CONTAINERS[name]["volumes"] == [f"{name}:{folder}"]
    assert name in yaml.safe_load(TEXT)["volumes"]


def test_every_image_that_is_not_ours_is_pinned_to_a_major_version() -> None:
    stages = [rest.partition(" AS ")[2] for rest in arguments("FROM")]
    bases = [rest.split()[0] for rest in arguments("FROM") if rest.split()[0] not in stages]
    images = [container["image"] for container in CONTAINERS.values() if "image" in container]
    assert bases
    for image in bases + images:
        assert re.fullmatch(r"[a-z]+:\d[\w.-]*", image)


def test_the_dockerfile_copies_what_exists_and_the_builder_is_sent_nothing_else() -> None:
    copied = [path for rest in arguments("COPY") if "--from" not in rest for path in rest.split()[:-1]]
    assert [path for path in copied if not (ROOT / path).exists()] == []
    patterns = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] not in "#"]
    assert patterns[0] == "*"
    assert {pattern[1:] for pattern in patterns if pattern.startswith("!")} == set(copied)


def test_the_image_runs_as_a_numeric_user_that_is_not_root() -> None:
    last_stage = instructions()[max(i for i, (word, _) in enumerate(instructions()) if word == "FROM") :]
    users = [rest for word, rest in last_stage if word == "USER"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1])


def test_the_image_installs_only_pinned_libraries_and_none_of_the_embedded_servers() -> None:
    commands = "\n".join(arguments("RUN"))
    assert "uv pip sync --require-hashes --compile-bytecode requirements/runtime.txt" in commands
    assert "embedded" not in commands + (ROOT / "requirements/runtime.txt").read_text()


@contextmanager
def service_answering(status: int) -> Iterator[int]:
    """A server whose /health/ready answers `status` and anything else 404; gives its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/health/ready" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def image_health_check(tmp_path: Path, port: int) -> int:
    """The exit code of the image's own check beside `shop serve payments` on this port."""
    program, flag, code = json.loads(arguments("HEALTHCHECK")[0].partition("CMD ")[2])
    first_process = tmp_path / "cmdline"
    first_process.write_text("/sbin/docker-init\0--\0shop\0serve\0payments\0")
    assert (program, flag) == ("python", "-c")
    code = code.replace("/proc/1/cmdline", str(first_process))
    environment = os.environ | {"PAYMENTS_PORT": str(port), "ORDERS_PORT": "1", "GATEWAY_PORT": "1"}
    return subprocess.run([sys.executable, "-c", code], env=environment, stderr=subprocess.DEVNULL).returncode


def test_the_image_is_healthy_while_its_own_service_is_ready(tmp_path: Path) -> None:
    with service_answering(200) as port:
        assert image_health_check(tmp_path, port) == 0


def test_the_image_is_unhealthy_while_its_service_is_not_ready_or_not_there(tmp_path: Path) -> None:
    with service_answering(503) as port:
        assert image_health_check(tmp_path, port) == 1
    assert image_health_check(tmp_path, port) == 1
