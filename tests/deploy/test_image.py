"""deploy/Dockerfile and .dockerignore: the content of the image, and its health check."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.answering import service_answering
from tests.deploy.compose import ROOT, VERSION, arguments, stage

ENGINES = ("docker", "podman", "buildah")


def test_the_dockerfile_copies_what_exists_and_the_builder_is_sent_nothing_else() -> None:
    copied = [path for rest in arguments("COPY") if "--from" not in rest for path in rest.split()[:-1]]
    assert [path for path in copied if not (ROOT / path).exists()] == []
    patterns = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] not in "#"]
    assert patterns[0] == "*"
    assert {pattern[1:] for pattern in patterns if pattern.startswith("!")} == set(copied)


def test_the_image_runs_as_a_numeric_user_that_is_not_root() -> None:
    users = [rest for word, rest in stage(-1) if word == "USER"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1])


def test_the_image_installs_only_pinned_libraries_and_none_of_the_embedded_servers() -> None:
    commands = "\n".join(arguments("RUN"))
    assert "uv pip sync --require-hashes --compile-bytecode requirements/runtime.txt" in commands
    assert "embedded" not in commands + (ROOT / "requirements/runtime.txt").read_text()


def image_health_check(tmp_path: Path, port: int) -> int:
    """The exit code of the image's health check for `shop serve payments` on this port."""
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


def test_the_image_says_what_it_is() -> None:
    labels = " ".join(arguments("LABEL"))
    for name in ("title", "description", "version", "revision"):
        assert f"org.opencontainers.image.{name}=" in labels


def engine_with_the_base_image() -> str:
    """An engine that can build here without a download. Skips the test if there is none."""
    base = arguments("FROM")[0].split()[0]
    reasons = []
    for engine in filter(shutil.which, ENGINES):
        held = subprocess.run(
            [engine, "inspect", "--type", "image", base], capture_output=True, text=True, check=False
        )
        if held.returncode == 0:
            return engine
        reasons.append(f"{engine}: {(held.stderr.strip().splitlines() or ['failed'])[-1]}")
    pytest.skip("; ".join(reasons) or f"none of {', '.join(ENGINES)} is installed")


def test_the_image_builds_and_knows_its_commands() -> None:
    engine = engine_with_the_base_image()
    build = [engine, "build", "-q", "-f", "deploy/Dockerfile", "-t", f"shop:{VERSION}-test", "."]
    subprocess.run(build, cwd=ROOT, check=True, timeout=600)
    if engine != "buildah":
        run = [engine, "run", "--rm", "--read-only", "--tmpfs", "/tmp", f"shop:{VERSION}-test", "--help"]
        shown = subprocess.run(run, capture_output=True, text=True, check=True, timeout=60)
        assert "serve" in shown.stdout
