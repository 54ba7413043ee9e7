"""ARCHITECTURE.md and the glossary agree with the tree: their paths exist, and no folder is missing."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "ARCHITECTURE.md").read_text()
# Without the pictures, whose source has more lines than they take on a page.
PROSE = re.sub(r"```mermaid\n.*?```\n", "", TEXT, flags=re.DOTALL)
GLOSSARY = (ROOT / "docs/glossary.md").read_text()
QUOTED = set(re.findall(r"`([^`\n]+)`", TEXT))
# The rooms and files that every service has are named without their service.
SERVICES = ("orders", "payments", "gateway")


def is_path(name: str) -> bool:
    return re.fullmatch(r"[\w.-]+(/[\w.-]+)+|[\w.-]+\.(py|md|toml|yml)", name) is not None


def places(name: str) -> list[list[Path]]:
    """The paths that a name may mean. It exists if all paths of one group exist."""
    return [[ROOT / name], [ROOT / "src" / name], [ROOT / "src" / service / name for service in SERVICES]]


def exists(name: str) -> bool:
    return any(all(path.exists() for path in group) for group in places(name))


def tracked() -> set[Path]:
    """The files that git tracks or would add, so no caches and no data."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {Path(name) for name in listed.split("\0") if name and (ROOT / name).exists()}


def folders(under: str, depth: int) -> set[str]:
    """The folders `depth` levels below `under`, as the page should name them."""
    base = Path(under)
    return {
        "/".join(path.relative_to(base).parts[:depth])
        for path in tracked()
        if path.is_relative_to(base) and len(path.relative_to(base).parts) > depth
    }


def test_every_path_that_the_page_names_exists() -> None:
    paths = {name for name in QUOTED if is_path(name)}
    assert {name for name in paths if not exists(name)} == set()
    assert len(paths) > 30


def test_every_term_of_the_glossary_has_a_home() -> None:
    rows = re.findall(r"^\| (?!term)[^|]+ \|[^|]+\| `([^`|]+)` \|$", GLOSSARY, re.MULTILINE)
    assert [home for home in rows if not exists(home)] == []
    assert len(rows) > 20


def test_every_top_level_folder_is_named() -> None:
    assert folders(".", 1) - QUOTED == set()


def test_every_package_and_every_room_of_the_kernel_is_named() -> None:
    assert folders("src", 1) - QUOTED == set()
    assert {f"kernel/{name}" for name in folders("src/kernel", 1)} - QUOTED == set()
    assert {f"kernel/adapters/{name}" for name in folders("src/kernel/adapters", 1)} - QUOTED == set()


def test_every_kind_of_test_and_of_document_is_named() -> None:
    assert {f"tests/{name}" for name in folders("tests", 1)} - QUOTED == set()
    assert {f"docs/{name}" for name in folders("docs", 1)} - QUOTED == set()


def test_every_room_and_file_of_a_service_is_named() -> None:
    rooms = {
        path.relative_to(f"src/{service}").parts[0]
        for path in tracked()
        for service in SERVICES
        if path.is_relative_to(f"src/{service}")
    }
    assert rooms - QUOTED == {"__init__.py"}


def test_an_order_takes_seven_steps() -> None:
    _, _, steps = TEXT.partition("## One order")
    numbers = re.findall(r"^(\d)\. ", steps.partition("## Rules")[0], re.MULTILINE)
    assert numbers == list("1234567")


def test_the_page_stays_a_page() -> None:
    assert len(PROSE.splitlines()) <= 90
