"""Reads docker-compose.yml and deploy/Dockerfile."""

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

from kernel.settings import variables
from shop import services

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
VERSION: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

# Replaces `${NAME:-default}` by the default, as compose does when the variable is not set.
TEXT = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", COMPOSE.read_text())
CONTAINERS: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
OURS = {name: container for name, container in CONTAINERS.items() if "build" in container}
SERVICES = {name: container for name, container in OURS.items() if container["command"][0] == "serve"}
JOBS = {name: container for name, container in OURS.items() if name not in SERVICES}
MIGRATIONS = {name: container for name, container in JOBS.items() if container["command"][0] == "migrate"}
# The names of all environment variables of the services.
SETTINGS = {name for service in services.OURS for name in variables(service.settings)}
# The script that makes the second role of each database, in compose and in the overlay dev.
SERVICE_ROLE = "deploy/k8s/overlays/dev/database/service.sql"
OBSERVERS = {name for name, container in CONTAINERS.items() if container.get("profiles") == ["observe"]}


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile as (instruction, arguments), comments dropped and continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "deploy/Dockerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n", "", text).splitlines()
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines if line)]


def arguments(instruction: str) -> list[str]:
    return [rest for word, rest in instructions() if word == instruction]


def stage(number: int) -> list[tuple[str, str]]:
    """The instructions of one stage of the Dockerfile without its FROM. The last stage is number -1."""
    starts = [at for at, (word, _) in enumerate(instructions()) if word == "FROM"]
    return instructions()[starts[number] + 1 : ([*starts, None][starts.index(starts[number]) + 1])]


def environment(number: int) -> dict[str, str]:
    """The variables that a stage of the image sets."""
    return dict(re.findall(r"(\w+)=(\S+)", " ".join(rest for word, rest in stage(number) if word == "ENV")))


def image_ports() -> dict[str, int]:
    """The port of each service by its name, from the image's environment."""
    pairs = re.findall(r"(\w+)_PORT=(\d+)", " ".join(arguments("ENV")))
    return {name.lower(): int(port) for name, port in pairs}
