"""Checks the rules of ARCHITECTURE.md that no import contract can express. `make check` runs this file."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BESIDE_SERVICES = {"kernel", "shop"}
INNER_ROOMS = {"domain", "ports", "application"}

# The libraries that the inner rooms may import. None of them does I/O or reads a clock, except by the names
# in `IMPURE`. The time of the event loop is allowed, because only waits use it, and no rule depends on it.
PURE = {
    "asyncio", "collections", "contextlib", "dataclasses", "datetime", "decimal", "enum", "functools",
    "itertools", "logging", "math", "operator", "re", "types", "typing", "uuid",
}  # fmt: skip
IMPURE = re.compile(
    r"(builtins\.)?(open|print|input|exec|eval|compile|breakpoint|__import__)"
    r"|asyncio\.(open_|start_|create_subprocess|to_thread|run\b|runners|streams|subprocess).*"
    r"|datetime\.(datetime|date)\.(now|utcnow|today)"
    r"|logging\.(FileHandler|StreamHandler|basicConfig|config|handlers).*"
    r"|uuid\.(uuid(?!5)\d|getnode)"
    r"|.*\.(run_in_executor|create_connection|create_server|create_datagram_endpoint|subprocess_\w+|sock_\w+)"
)

INSERTING = ("insert", "insert_arrays", "insert_document")
# Every row of these tables gets a new id, and they have no other unique key, so no two inserts collide.
TABLES_OF_NEW_IDS = {"OUTBOX", "DISCARDED", "OPERATIONS", "OPERATION_MESSAGES"}
# A transaction inserts one row into these tables, so one that waits holds no row that others wait for.
TABLES_OF_ONE_ROW = {"AUDIT_RUNS"}
# `joined` makes the rows of parked messages, in key order.
SORTING = {"sorted", "joined"}


def breaches(root: Path, files: str = "*.py") -> list[str]:
    """One line for each breach, with its file and line."""
    src = root / "src"
    packages = {path.name for path in src.iterdir() if any(path.rglob("*.py"))}
    found = [*undeclared(root, packages), *outside_of_packages(root)]
    for path in sorted(src.rglob(files)):
        tree = ast.parse(path.read_text())
        package, room, *_ = *path.relative_to(src).parts, ""
        rules = [statements(tree)]
        if room in INNER_ROOMS:
            rules.append(pure(tree, packages))
        if package not in BESIDE_SERVICES:
            rules.append(hidden_imports(tree))
        place = path.relative_to(root)
        found += [f"{place}:{line}: {breach}" for rule in rules for line, breach in sorted(rule)]
    return found


def undeclared(root: Path, packages: set[str]) -> Iterator[str]:
    """A package without a name in pyproject.toml is not installed, type-checked or under contract."""
    config = tomllib.loads((root / "pyproject.toml").read_text())["tool"]
    wheel: dict[str, Any] = config["hatch"]["build"]["targets"]["wheel"]
    lists = [
        ("the packages of the wheel", [path.removeprefix("src/") for path in wheel["packages"]]),
        ("the packages of mypy", [p for p in config["mypy"]["packages"] if "tests" not in p]),
        ("root_packages of the import contracts", config["importlinter"]["root_packages"]),
    ]
    for where, named in lists:
        for name in sorted(packages ^ set(named)):
            what = "misses" if name in packages else "names, though src does not have it,"
            yield f"pyproject.toml: {where} {what} {name}"
    services = packages - BESIDE_SERVICES
    for contract in config["importlinter"]["contracts"]:
        for key in (
            "layers",
            "containers",
            "modules",
            "source_modules",
            "forbidden_modules",
            "protected_modules",
        ):
            names = {name for entry in contract.get(key, []) for name in entry.split(" | ")}
            for name in sorted(forgotten(root / "src", services, names)):
                yield f"pyproject.toml: the contract {contract['id']!r} misses {name}"


def forgotten(src: Path, services: set[str], names: set[str]) -> set[str]:
    """The names that a contract misses. If it names a room of two services, it is about every service."""
    rooms: dict[str, set[str]] = {}
    for name in names:
        service, _, room = name.partition(".")
        rooms.setdefault(room, set()).add(service)
    shared = [room for room, owners in rooms.items() if len(owners & services) > 1]
    wanted = [
        (f"{service}.{room}".rstrip("."), src / service / room.replace(".", "/"))
        for service in services
        for room in shared
    ]
    return {name for name, path in wanted if path.exists() or path.with_suffix(".py").exists()} - names


def outside_of_packages(root: Path) -> Iterator[str]:
    """Import contracts do not see a file outside of packages, or a folder without `__init__.py`."""
    for path in sorted((root / "src").rglob("*.py")):
        if not (path.parent / "__init__.py").exists():
            yield f"{path.relative_to(root)}: its folder is no package: it has no __init__.py"


def pure(tree: ast.Module, packages: set[str]) -> Iterator[tuple[int, str]]:
    """Domain, ports and application use no library, do no I/O themselves, and read no clock."""
    for line, module in imported(tree):
        if module.partition(".")[0] not in PURE | packages:
            yield line, f"imports {module}, which no domain, port or application may use"
    for line, name in used(tree):
        if IMPURE.fullmatch(name):
            yield line, f"uses {name}: a port has to do I/O, and the clock is one"


def hidden_imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Import contracts do not see an import by a name in a string."""
    for line, name in used(tree):
        if re.fullmatch(r"importlib\.import_module|(builtins\.)?__import__|runpy\..*", name):
            yield line, f"uses {name}, which hides from the import contracts what is imported"


def imported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module


def used(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """All names that the code uses, by their full origin, even when they are imported under another name."""
    origins: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            origins |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom):
            origins |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            yield node.lineno, dotted(node, origins)


def dotted(node: ast.expr, origins: dict[str, str]) -> str:
    match node:
        case ast.Name(id=name):
            return origins.get(name, name)
        case ast.Attribute(value=value, attr=attr):
            return f"{dotted(value, origins)}.{attr}"
    return ""


def statements(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every statement takes a whole batch. Rows are locked, and unique keys inserted, in key order."""
    assigned = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    for name, value in assigned.items():
        called = calls(value)
        for call in called.get("with_for_update", []):
            skips = any(keyword.arg == "skip_locked" for keyword in call.keywords)
            if not skips and "order_by" not in calls(call):
                yield call.lineno, f"{name} locks rows in no order: two that lock the same may deadlock"
    adapters = [n for n in tree.body if isinstance(n, ast.ClassDef) and n.name.startswith("Postgres")]
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    sorting = SORTING | {f.name for f in functions if SORTING & calls(f).keys()}
    for adapter in adapters:
        for method in (node for node in ast.walk(adapter) if isinstance(node, ast.AsyncFunctionDef)):
            yield from in_loops(method)
            in_order = sorting & calls(method).keys()
            for call in [c for name in ("write", "execute") for c in calls(method).get(name, [])]:
                tables = inserted_into(call.args[0], assigned) if call.args else set()
                if tables - TABLES_OF_NEW_IDS - TABLES_OF_ONE_ROW and not in_order:
                    yield call.lineno, f"inserts into {', '.join(tables)} in no order: two may deadlock"


def calls(node: ast.AST) -> dict[str, list[ast.Call]]:
    """All calls in the node, by the last part of the called name."""
    found: dict[str, list[ast.Call]] = {}
    for call in ast.walk(node):
        if isinstance(call, ast.Call):
            found.setdefault(dotted(call.func, {}).rpartition(".")[2], []).append(call)
    return found


def inserted_into(statement: ast.expr, assigned: dict[str, ast.expr]) -> set[str]:
    """The tables of an INSERT, which may be built from other names of the module."""
    names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)} & assigned.keys()
    called = calls(statement)
    direct = {dotted(call.args[0], {}) for name in INSERTING for call in called.get(name, [])}
    rest = {name: value for name, value in assigned.items() if name not in names}
    return direct.union(*(inserted_into(assigned[name], rest) for name in names))


def in_loops(method: ast.AsyncFunctionDef) -> Iterator[tuple[int, str]]:
    """An await in a loop of an adapter would be one statement for each item."""
    for node in ast.walk(method):
        match node:
            case ast.For() | ast.AsyncFor():
                repeated: list[ast.AST] = [*node.body]
            case ast.While():
                repeated = [node.test, *node.body]
            case ast.ListComp(elt=element) | ast.SetComp(elt=element) | ast.GeneratorExp(elt=element):
                repeated = [element]
            case ast.DictComp():
                repeated = [node.key, node.value]
            case _:
                continue
        for part in repeated:
            for awaited in (inner for inner in ast.walk(part) if isinstance(inner, ast.Await)):
                yield awaited.lineno, "awaits in a loop: every statement takes a whole batch"


if __name__ == "__main__":
    found = breaches(Path.cwd())
    print("\n".join(found) or "The rules of ARCHITECTURE.md hold.")
    sys.exit(1 if found else 0)
