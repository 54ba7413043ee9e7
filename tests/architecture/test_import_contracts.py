"""Each import contract of pyproject.toml fails when a bad import is planted in a copy of the tree."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"
CONFIG: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
NAMES: dict[str, str] = {contract["id"]: contract["name"] for contract in CONFIG["contracts"]}

# The contract, the file, and the line that is planted into it.
VIOLATIONS = [
    ("services", "orders/application/place_orders.py", "import payments.domain.account"),
    ("services", "gateway/adapters/outbound/http_orders.py", "from orders import wire"),
    ("services", "kernel/wiring/providers.py", "import orders.wiring"),
    ("kernel", "kernel/adapters/http/app.py", "from payments.contract import http"),
    ("services", "payments/main.py", "import shop.serving"),
    ("services", "orders/contract/messages.py", "import gateway.wire"),
    ("services", "payments/contract/http.py", "from orders.contract import http"),
    ("services", "gateway/application/watch.py", "from orders.contract import http"),
    ("rooms", "orders/utils/__init__.py", ""),
    ("rooms", "gateway/helpers.py", ""),
    ("rooms", "orders/domain/order.py", "from orders.ports import orders"),
    ("rooms", "orders/domain/order.py", "from orders.contract import messages"),
    ("rooms", "orders/contract/messages.py", "from orders.domain import order"),
    ("rooms", "orders/ports/orders.py", "from orders.application import place_orders"),
    ("rooms", "payments/application/charge_orders.py", "from payments import wire"),
    ("rooms", "payments/adapters/outbound/postgres.py", "from payments import wiring"),
    ("rooms", "orders/adapters/outbound/postgres/orders.py", "from orders import settings"),
    ("rooms", "payments/wiring.py", "from payments import service"),
    ("rooms", "orders/contract/http.py", "from orders.domain import order"),
    (
        "inbound-outbound",
        "payments/adapters/inbound/http.py",
        "from payments.adapters.outbound import postgres",
    ),
    (
        "inbound-outbound",
        "orders/adapters/outbound/http_admission.py",
        "from orders.adapters.inbound import http",
    ),
    ("inbound-outbound", "orders/adapters/helpers/__init__.py", ""),
    ("outbound", "orders/adapters/inbound/http.py", "from orders.adapters.outbound import tables"),
    ("ports", "orders/adapters/outbound/http_admission.py", "from orders.application import place_orders"),
    ("kernel-rooms", "kernel/common/__init__.py", ""),
    ("kernel-rooms", "kernel/domain/money.py", "from kernel.ports import clock"),
    ("kernel-rooms", "kernel/application/relay.py", "from kernel.contracts import messaging"),
    ("kernel-rooms", "kernel/contracts/http.py", "from kernel.application import backoff"),
    ("kernel-rooms", "kernel/adapters/http/app.py", "from kernel import settings"),
    ("kernel-rooms", "kernel/serving.py", "from kernel import service"),
    ("technologies", "kernel/adapters/kafka/__init__.py", ""),
    ("technologies", "kernel/adapters/rabbit/bus.py", "from kernel.adapters.postgres import outbox"),
    ("contracts", "kernel/contracts/messaging.py", "from kernel.ports import clock"),
    ("words", "orders/application/settle_orders.py", "from kernel.contracts import messaging"),
    ("words", "orders/application/settle_orders.py", "from payments.contract import messages"),
    ("published", "orders/contract/http.py", "from kernel.adapters.http import body"),
    ("published", "orders/contract/operations.py", "from kernel.adapters import trace_context"),
    ("published", "payments/contract/problems.py", "from kernel.ports import clock"),
    ("words", "payments/domain/account.py", "from kernel.adapters import system_clock"),
    ("words", "orders/ports/orders.py", "from orders.contract import http"),
    ("wire", "orders/main.py", "from orders import wire"),
    ("bodies", "orders/main.py", "from kernel.contracts import http"),
    ("messages", "orders/adapters/inbound/http.py", "from orders.contract import messages"),
    ("apart", "payments/contract/messages.py", "from orders.contract import messages"),
    ("contract", "orders/wiring.py", "from orders.contract import http"),
    ("rabbit", "orders/wiring.py", "import faststream"),
    ("rabbit", "kernel/adapters/in_process/bus.py", "import aio_pika.abc"),
    ("postgres", "orders/adapters/inbound/http.py", "from sqlalchemy import text"),
    ("postgres", "kernel/settings.py", "import asyncpg"),
    ("litestar", "orders/wire.py", "import litestar"),
    ("litestar", "payments/contract/http.py", "import litestar"),
    ("rate-limits", "kernel/settings.py", "import limits"),
    ("rate-limits", "kernel/wiring/rate_limits.py", "import redis.asyncio"),
    ("telemetry", "orders/adapters/inbound/http.py", "import prometheus_client"),
    ("telemetry", "kernel/wiring/providers.py", "import opentelemetry.trace"),
    ("dishka", "orders/main.py", "import dishka"),
    (
        "http-rooms",
        "kernel/adapters/http/conventions/problem.py",
        "from kernel.adapters.http.server import limits",
    ),
    (
        "http-rooms",
        "kernel/adapters/http/server/limits.py",
        "from kernel.adapters.http.documents import openapi",
    ),
    ("http-rooms", "kernel/adapters/http/utils.py", ""),
    (
        "postgres-rooms",
        "kernel/adapters/postgres/connections/urls.py",
        "from kernel.adapters.postgres.statements import driver",
    ),
    (
        "postgres-rooms",
        "kernel/adapters/postgres/messages/inbox.py",
        "from kernel.adapters.postgres.checks import start",
    ),
    ("cycles", "kernel/adapters/telemetry/tracing.py", "from kernel.adapters.telemetry import telemetry"),
]


# Plants nothing, and checks every contract.
UNCHANGED = ("", "", "")

# Lints the tree repeatedly in one process, which has none of our packages loaded. Each time it adds a line at
# the end of a file, or a new file, and checks the named contract, or all of them.
LINT = """
import importlib, json, os, sys
from pathlib import Path
from importlinter.cli import lint_imports
sys.path[0] = os.path.join(os.getcwd(), "src")
for contract, path, line in json.load(sys.stdin):
    file = Path("src", path)
    before = file.read_text() if file.is_file() else None
    is_new_folder = not file.parent.exists()
    if path:
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"{before or ''}\\n{line}\\n")
    importlib.invalidate_caches()
    lint_imports(limit_to_contracts=(contract,) if contract else (), no_cache=True, no_logo=True)
    print("=" * 20, flush=True)
    if before is not None:
        file.write_text(before)
    elif path:
        file.unlink()
        if is_new_folder:
            file.parent.rmdir()
"""


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], str]:
    """The output of lint-imports by planted file and line, and for the unchanged tree."""
    tree = tmp_path_factory.mktemp("planted")
    shutil.copy(ROOT / "pyproject.toml", tree)
    shutil.copytree(SRC, tree / "src", ignore=shutil.ignore_patterns("__pycache__"))
    plants = [UNCHANGED, *VIOLATIONS, UNCHANGED]
    linted = subprocess.run(
        [sys.executable, "-c", LINT],
        cwd=tree,
        env={"COLUMNS": "200", "NO_COLOR": "1"},
        input=json.dumps(plants),
        capture_output=True,
        text=True,
        check=True,
    )
    before, *verdicts, after = (verdict.strip() for verdict in linted.stdout.split("=" * 20)[:-1])
    assert before == after, "a planted line was not removed"
    return {UNCHANGED[1:]: before} | dict(zip((v[1:] for v in VIOLATIONS), verdicts, strict=True))


def broken(verdict: str) -> set[str]:
    """The ids of the contracts that do not hold."""
    assert re.search(r"^Contracts: \d+ kept, \d+ broken\.$", verdict, re.MULTILINE), verdict
    return {key for key, name in NAMES.items() if f"{name} BROKEN" in verdict}


def test_an_unchanged_copy_keeps_every_contract(verdicts: dict[tuple[str, str], str]) -> None:
    verdict = verdicts["", ""]
    assert broken(verdict) == set()
    assert f"Contracts: {len(NAMES)} kept, 0 broken." in verdict


@pytest.mark.parametrize(
    ("contract", "path", "line"),
    VIOLATIONS,
    ids=[f"{path}: {line or 'is new'}" for _, path, line in VIOLATIONS],
)
def test_a_planted_violation_turns_its_contract_red(
    contract: str, path: str, line: str, verdicts: dict[tuple[str, str], str]
) -> None:
    assert contract in broken(verdicts[path, line])


def test_every_contract_has_been_seen_to_fail() -> None:
    assert {contract for contract, *_ in VIOLATIONS} == set(NAMES)
