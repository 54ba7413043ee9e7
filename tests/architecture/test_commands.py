"""The commands of a service are built only in its wire.py, so a call is translated in one place."""

import ast
from pathlib import Path

SRC = Path(__file__).parents[2] / "src"
COMMANDS = {
    "orders": {"Placement", "CancelOrder"},
    "payments": {"OpenAccount", "Deposit"},
    "gateway": {"PlacementRequest"},
}


def built_in(path: Path) -> set[str]:
    """The names that the file imports from a domain and calls."""
    tree = ast.parse(path.read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    of_domain = {alias.name for node in imports if ".domain" in str(node.module) for alias in node.names}
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return of_domain & {call.id for call in calls if isinstance(call, ast.Name)}


def test_the_commands_of_a_service_are_built_in_its_wire_alone() -> None:
    for service, commands in COMMANDS.items():
        files = list((SRC / service).rglob("*.py"))
        built = {
            (path.relative_to(SRC).as_posix(), name) for path in files for name in built_in(path) & commands
        }
        assert built == {(f"{service}/wire.py", name) for name in commands}


def test_a_command_that_is_built_elsewhere_is_found(tmp_path: Path) -> None:
    file = tmp_path / "http.py"
    file.write_text("from orders.domain.order import CancelOrder\n\nCancelOrder(order_id=1)\n")
    assert built_in(file) == {"CancelOrder"}
