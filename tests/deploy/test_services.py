"""Files that are no code of ours repeat the names of the services; these tests compare them with the list."""

import ast
from pathlib import Path
from tomllib import loads

import pytest

from shop.services import OURS, load_shop
from tests.deploy.compose import MIGRATIONS, ROOT, SERVICES, image_ports
from tests.deploy.manifests import OVERLAYS, shops
from tests.servers import shop as servers

NAMES = {service.name for service in OURS}
STORES = {service.name for service in OURS if service.schema}
PORTS = {name: settings.port for name, settings in load_shop({}).settings.items()}
PROJECT = loads((ROOT / "pyproject.toml").read_text())["tool"]
CONTRACTS = {contract["id"]: contract for contract in PROJECT["importlinter"]["contracts"]}


SHOP = ROOT / "src/shop"
# These files are about our services, so they may name them.
ABOUT_OURS = {SHOP / "services.py", SHOP / "demo.py", SHOP / "explain.py", *(SHOP / "audit").iterdir()}


def named(path: Path) -> set[str]:
    """The services that a file names, in an import or as a word."""
    found: set[str] = set()
    for part in ast.walk(ast.parse(path.read_text())):
        match part:
            case ast.Import():
                found |= {alias.name.partition(".")[0] for alias in part.names}
            case ast.ImportFrom(module=str(module)):
                found.add(module.partition(".")[0])
            case ast.Constant(value=str(word)):
                found.add(word)
    return found & NAMES


def test_one_file_of_the_shop_names_the_services() -> None:
    assert named(SHOP / "services.py") == NAMES
    assert [path for path in SHOP.rglob("*.py") if path not in ABOUT_OURS and named(path)] == []


def test_every_service_is_checked_and_packed() -> None:
    packages = NAMES | {"kernel", "shop"}
    assert set(PROJECT["hatch"]["build"]["targets"]["wheel"]["packages"]) == {
        f"src/{one}" for one in packages
    }
    assert set(PROJECT["mypy"]["packages"]) == packages | {"tests.memory"}
    assert set(PROJECT["importlinter"]["root_packages"]) == packages


def test_every_service_is_under_the_contracts_of_services() -> None:
    _, services, _ = CONTRACTS["services"]["layers"]
    assert set(services.split(" | ")) == NAMES
    assert set(CONTRACTS["rooms"]["containers"]) == NAMES
    assert set(CONTRACTS["inbound-outbound"]["containers"]) == {f"{name}.adapters" for name in NAMES}


def test_the_schema_of_a_service_bears_its_name_and_is_at_its_newest_migration() -> None:
    for service in OURS:
        folder = ROOT / "migrations" / service.name / "versions"
        if service.schema is None:
            assert not folder.exists()
            continue
        schema = service.load_schema()
        assert (schema.service, schema.revision) == (service.name, len(list(folder.glob("*.py"))))


def test_the_image_and_compose_run_every_service_at_its_port_and_migrate_every_database() -> None:
    assert image_ports() == PORTS
    assert [container["command"] for container in SERVICES.values()] == [["serve", name] for name in SERVICES]
    assert set(SERVICES) == NAMES
    assert {container["command"][1] for container in MIGRATIONS.values()} == STORES


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_kubernetes_runs_every_service_migrates_every_database_and_audits(overlay: str) -> None:
    commands = [container["args"] for _, container in shops(overlay)]
    assert {command[1] for command in commands if command[0] == "serve"} == NAMES
    assert {command[1] for command in commands if command[0] == "migrate"} == STORES
    assert "audit" in {command[0] for command in commands}


def test_every_service_is_documented_and_started_by_the_tests() -> None:
    documents = {path.stem for path in (ROOT / "docs/openapi").iterdir()}
    assert documents == NAMES == set(servers.SERVICES)


def test_the_readme_says_how_each_service_is_run() -> None:
    listed = "|".join(service.name for service in OURS)
    assert f"shop serve {listed}" in (ROOT / "README.md").read_text()
