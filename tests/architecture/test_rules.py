"""`make check` finds every breach of a rule of ARCHITECTURE.md that is planted in a copy of the tree."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture import rules

ROOT = Path(__file__).parents[2]
ROOMS = ("domain", "ports", "application", "adapters", "adapters/inbound", "adapters/outbound")
ORDERS = "src/orders/adapters/outbound/postgres/orders.py"
PAYMENTS = "src/payments/adapters/outbound/postgres.py"
INBOX = "src/kernel/adapters/postgres/messages/inbox.py"

# The file, the text that is added to it, and the message.
ADDED = [
    ("src/orders/domain/order.py", "import sqlalchemy", "imports sqlalchemy"),
    ("src/payments/ports/accounts.py", "from msgspec import Struct", "imports msgspec"),
    (
        "src/kernel/application/relay.py",
        "import some_library_of_tomorrow",
        "imports some_library_of_tomorrow",
    ),
    ("src/gateway/domain/orders.py", "def f():\n    import httptools.parser", "imports httptools.parser"),
    ("src/orders/application/place_orders.py", "import socket", "imports socket"),
    ("src/kernel/ports/clock.py", "from time import monotonic", "imports time"),
    ("src/kernel/domain/ids.py", "from random import random", "imports random"),
    ("src/payments/domain/account.py", "Decimal(open('rates').read())", "uses open"),
    ("src/payments/application/charge_orders.py", "print('charged')", "uses print"),
    (
        "src/orders/application/cancel_orders.py",
        "from datetime import datetime\ndatetime.now()",
        "uses datetime.datetime.now",
    ),
    (
        "src/orders/domain/order.py",
        "from datetime import date as day\nday.today()",
        "uses datetime.date.today",
    ),
    (
        "src/kernel/domain/ids.py",
        "import datetime as dt\ndt.datetime.utcnow()",
        "uses datetime.datetime.utcnow",
    ),
    ("src/kernel/domain/ids.py", "from uuid import uuid4\nuuid4()", "uses uuid.uuid4"),
    ("src/gateway/application/hub.py", "asyncio.open_connection('b', 1)", "uses asyncio.open_connection"),
    ("src/kernel/application/relay.py", "loop.run_in_executor(None, f)", "uses loop.run_in_executor"),
    ("src/payments/main.py", "from importlib import import_module\nimport_module('orders')", "hides"),
    ("src/gateway/wiring.py", "__import__('orders')", "hides"),
    ("src/delivery.py", "import orders", "src/delivery.py: its folder is no package"),
    ("src/orders/domain/rules/refusals.py", "import orders.wire", "its folder is no package"),
    (ORDERS, "_MINE = select(ORDERS).with_for_update()", "_MINE locks rows in no order"),
    (
        ORDERS,
        "class PostgresLabels:\n"
        "    async def save(self, orders):\n"
        "        for order in orders:\n"
        "            await self._uow.transaction.write(_SAVE, order)",
        "awaits in a loop",
    ),
    (
        PAYMENTS,
        "class PostgresPages:\n"
        "    async def find(self, ids):\n"
        "        return [await read(self._engine, _BALANCES, {'user_ids': id}) for id in ids]",
        "awaits in a loop",
    ),
]

# A text that only one file has, its replacement, and the message.
CHANGED = [
    (".order_by(ORDERS.c.user_id, ORDERS.c.id).with", ".with", "_LOCK locks rows in no order"),
    (".order_by(ACCOUNTS.c.user_id).with", ".with", "_LOCK_ACCOUNTS locks rows in no order"),
    ("_KNOWN.order_by(*_KEYS)", "_KNOWN", "_CLAIMED locks rows in no order"),
    ("rows = sorted(orders, ", "rows = list(orders, ", "inserts into ORDERS in no order"),
    ("given = sorted(payments, ", "given = list(payments, ", "inserts into PAYMENTS in no order"),
    ("arrays(_KEYS, sorted(keys)) |", "arrays(_KEYS, keys) |", "inserts into INBOX in no order"),
    ("in_order = sorted(steps, ", "in_order = list(steps, ", "inserts into SERIES_STEPS in no order"),
    ('"src/gateway", ', "", "the packages of the wheel misses gateway"),
    (
        '"gateway", "shop"]\ninclude',
        '"shop"]\ninclude',
        "root_packages of the import contracts misses gateway",
    ),
    ("orders | payments | gateway", "orders | payments", "the contract 'services' misses gateway"),
    ('"gateway"]\nlayers', "]\nlayers", "the contract 'rooms' misses gateway"),
    (', "gateway.adapters"]', "]", "the contract 'inbound-outbound' misses gateway.adapters"),
    (
        'packages = ["kernel", "orders", "payments", "gateway", "shop"',
        'packages = ["kernel", "orders", "payments", "shop"',
        "the packages of mypy misses gateway",
    ),
    (
        'root_packages = ["kernel", ',
        'root_packages = ["kernel", "stock", ',
        "root_packages of the import contracts names, though src does not have it, stock",
    ),
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree that the rules check. A test that changes it restores it."""
    tree = tmp_path_factory.mktemp("rules")
    shutil.copy(ROOT / "pyproject.toml", tree)
    shutil.copytree(ROOT / "src", tree / "src", ignore=shutil.ignore_patterns("__pycache__"))
    return tree


def said_of(tree: Path, path: str, text: str) -> str:
    """The messages of the rules while the file has this text."""
    file = tree / path
    before = file.read_text() if file.exists() else None
    try:
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        return "\n".join(rules.breaches(tree, file.name))
    finally:
        file.unlink()
        if before is None and not any(file.parent.iterdir()):
            file.parent.rmdir()
        elif before is not None:
            file.write_text(before)


def test_the_source_keeps_every_rule() -> None:
    assert rules.breaches(ROOT) == []


@pytest.mark.parametrize(("path", "text", "said"), ADDED, ids=[f"{path}: {said}" for path, _, said in ADDED])
def test_a_line_that_breaks_a_rule_is_found(tree: Path, path: str, text: str, said: str) -> None:
    file = tree / path
    before = file.read_text() if file.exists() else ""
    found = said_of(tree, path, f"{before}\n{text}\n")
    assert said in found
    assert path in found


@pytest.mark.parametrize(("old", "new", "said"), CHANGED, ids=[said for *_, said in CHANGED])
def test_a_change_that_breaks_a_rule_is_found(tree: Path, old: str, new: str, said: str) -> None:
    files = [tree / "pyproject.toml", *(tree / "src").rglob("*.py")]
    (file,) = [file for file in files if old in file.read_text()]
    path = str(file.relative_to(tree))
    found = said_of(tree, path, file.read_text().replace(old, new))
    assert said in found
    assert path in found


DELIVERY = {
    "src/delivery/domain/parcel.py": "import sqlalchemy\nfrom orders.domain.order import Order\n",
    "src/delivery/application/send.py": "import delivery.adapters.outbound.courier\n",
}


def test_make_check_finds_a_new_service_that_keeps_no_rule(tmp_path: Path) -> None:
    deliver(tmp_path)
    broken = make_check(tmp_path)
    assert "src/delivery/domain/parcel.py:1: imports sqlalchemy" in broken
    assert re.findall(r"misses (\S+)", broken) == [*["delivery"] * 6, "delivery.adapters"]

    config, parcel = tmp_path / "pyproject.toml", tmp_path / "src/delivery/domain/parcel.py"
    config.write_text(declared(config.read_text()))
    parcel.write_text(parcel.read_text().replace("import sqlalchemy\n", ""))
    broken = make_check(tmp_path)
    assert "Only the shop knows the services; of another, a service knows the contract only BROKEN" in broken
    assert "The rooms of a service, from outside in; a new folder declares itself here BROKEN" in broken


def deliver(tree: Path) -> None:
    for name in ("pyproject.toml", "Makefile"):
        shutil.copy(ROOT / name, tree)
    for name in ("src", "tests/architecture"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for room in ("", *ROOMS):
        (tree / "src/delivery" / room).mkdir()
        (tree / "src/delivery" / room / "__init__.py").touch()
    for name in ("main", "messaging", "service", "settings", "wire", "wiring", "adapters/outbound/courier"):
        (tree / f"src/delivery/{name}.py").touch()
    for path, text in DELIVERY.items():
        (tree / path).write_text(text)


def declared(config: str) -> str:
    """The configuration with the service on every list."""
    config = config.replace('"src/gateway"', '"src/gateway", "src/delivery"')
    config = config.replace('"gateway"', '"gateway", "delivery"').replace("| gateway", "| gateway | delivery")
    return config.replace('"gateway.adapters"', '"gateway.adapters", "delivery.adapters"')


def make_check(tree: Path) -> str:
    """The output of the commands of `make check` that check the rules, up to the first that fails."""
    recipe = re.search(r"^check:.*\n((?:\t.*\n)+)", (tree / "Makefile").read_text(), re.MULTILINE)
    assert recipe
    commands = [line.strip() for line in recipe[1].splitlines() if re.search(r"rules|lint-imports", line)]
    assert len(commands) == 2
    environment = {"COLUMNS": "200", "NO_COLOR": "1", "PYTHONPATH": f"{tree / 'src'}"}
    script = " && ".join(
        command.replace(".venv/bin", str(Path(sys.executable).parent)) for command in commands
    )
    run = subprocess.run(["sh", "-c", script], cwd=tree, env=environment, capture_output=True, text=True)
    assert run.returncode == 1, run.stderr
    return run.stdout
