"""The jobs of the build server call commands and name files that exist."""

import re
import subprocess
import sys
from typing import Any

import yaml

from tests.deploy.compose import OURS, ROOT, VERSION
from tests.servers.chromium import PICTURES

FILE = ROOT / ".github/workflows/ci.yml"
JOBS: dict[str, dict[str, Any]] = yaml.safe_load(FILE.read_text())["jobs"]


def commands(job: str) -> str:
    return "\n".join(step["run"] for step in JOBS[job]["steps"] if "run" in step)


def test_the_workflow_is_valid() -> None:
    check = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.github-workflows",
        str(FILE),
    ]
    checked = subprocess.run(check, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_it_checks_tests_and_deploys_both_ways() -> None:
    assert JOBS.keys() == {"check", "dependencies", "test", "lanes", "images", "compose", "sign-in", "kind"}
    assert "make check" in commands("check")
    assert "make audit-deps" in commands("dependencies")
    assert "make test" in commands("test")
    assert "make test ARGS=tests/spec" in commands("lanes")
    assert "docker compose up --build" in commands("compose")
    assert "kubectl apply -k deploy/k8s/overlays/dev" in commands("kind")
    for job in ("compose", "kind"):
        assert "python3 deploy/walkthrough.py" in commands(job)


def test_it_prints_the_digests_of_all_images() -> None:
    assert commands("images") == "python3 deploy/images.py"


def test_every_file_that_a_job_names_is_there() -> None:
    named = {path for job in JOBS for path in re.findall(r"\bdeploy/[\w./-]+", commands(job))}
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_kind_gets_the_image_that_the_overlay_uses() -> None:
    assert JOBS["kind"]["env"]["VERSION"] == VERSION


def test_the_audit_is_run_where_it_is_declared() -> None:
    assert "docker compose run --rm audit" in commands("compose")
    assert "audit" in OURS
    assert "--from=cronjob/audit" in commands("kind")


def test_a_job_is_no_more_than_a_few_lines() -> None:
    for job in JOBS:
        assert len(commands(job).splitlines()) <= 10


def test_the_suite_has_the_whole_history_and_so_the_version_before() -> None:
    (checkout,) = (step for step in JOBS["test"]["steps"] if "checkout" in step.get("uses", ""))
    assert checkout["with"] == {"fetch-depth": 0}


def test_the_last_screenshot_of_each_window_is_kept() -> None:
    (test,) = (step for step in JOBS["test"]["steps"] if "make test" in step.get("run", ""))
    (kept,) = (step for step in JOBS["test"]["steps"] if "upload-artifact" in step.get("uses", ""))
    assert test["env"] == {PICTURES: "${{ github.workspace }}/" + kept["with"]["path"]}
    assert PICTURES in test["run"]
    assert kept["if"] == "always()"
