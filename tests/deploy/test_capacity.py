"""deploy/capacity.py calculates the replicas for a load from the figures of the bench."""

import json
import subprocess
import sys
from pathlib import Path

from kernel.adapters.postgres.connections.engine import POOL_SIZE
from tests.deploy.compose import ROOT

COSTS = {
    "gateway": 200, "orders": 300, "payments": 250, "orders-db": 200, "payments-db": 160, "rabbitmq": 50,
}  # fmt: skip


def results(path: Path, costs: dict[str, int]) -> Path:
    facts = {f"µs of a core that {part} takes for an order": cost for part, cost in costs.items()}
    path.write_text(json.dumps({"facts": {"something else": 1.0, **facts}}))
    return path


def capacity(*arguments: object) -> subprocess.CompletedProcess[str]:
    script = [sys.executable, str(ROOT / "deploy/capacity.py"), *map(str, arguments)]
    return subprocess.run(script, capture_output=True, text=True, check=False)


def row(shown: str, part: str) -> str:
    (line,) = (line for line in shown.splitlines() if line.startswith(f"{part} "))
    return line


def test_replicas_and_primaries_follow_from_what_an_order_costs(tmp_path: Path) -> None:
    measured = results(tmp_path / "latest.json", COSTS)
    shown = capacity(100_000, "--busy", 0.5, "--cores", 16, "--results", measured)
    assert shown.returncode == 0, shown.stderr
    assert "60.0  60 replicas" in row(shown.stdout, "orders")
    assert f"3 primaries, SHOP_LANES=4 or more; {60 * POOL_SIZE} connections to each" in row(
        shown.stdout, "orders-db"
    )
    assert "3 nodes of 10 cores" in row(shown.stdout, "rabbitmq")
    assert "orders is full first, at 3,333 orders a second" in shown.stdout


def test_a_small_load_needs_one_of_each(tmp_path: Path) -> None:
    shown = capacity(100, "--results", results(tmp_path / "latest.json", COSTS)).stdout
    assert "1 replicas" in row(shown, "gateway")
    assert "1 primary; 10 connections" in row(shown, "payments-db")


def test_a_missing_figure_is_named_and_nothing_is_guessed(tmp_path: Path) -> None:
    missing = capacity(100, "--results", tmp_path / "nowhere.json")
    assert missing.returncode == 1
    assert "run `make bench`" in missing.stderr
    part = {name: cost for name, cost in COSTS.items() if name != "rabbitmq"}
    incomplete = capacity(100, "--results", results(tmp_path / "latest.json", part))
    assert incomplete.returncode == 1
    assert "does not tell what rabbitmq takes" in incomplete.stderr


def test_an_invalid_load_is_refused_in_one_line() -> None:
    refused = capacity(0)
    assert refused.returncode == 1
    assert len(refused.stderr.splitlines()) == 1
