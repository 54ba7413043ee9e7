"""SECURITY.md agrees with the suite: each threat has a guard, and tests that exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "SECURITY.md").read_text()
TESTS = {
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^(?:async )?def (test_\w+)\(", path.read_text(), re.MULTILINE)
}


def rows(first: str) -> Iterator[tuple[str, str, str]]:
    """The rows of the table whose first column has this header, without its section titles."""
    table = PAGE[PAGE.index(f"| {first} |") :].split("\n\n")[0].splitlines()[2:]
    for row in table:
        threat, guard, tests = (cell.strip() for cell in row.strip("|").split("|"))
        if not threat.startswith("**"):
            yield threat, guard, tests


def lacking(row: tuple[str, str, str]) -> list[str]:
    """What a row lacks: a guard, a test, or the tests that it names and that do not exist."""
    _, guard, cell = row
    named = re.findall(r"`(\w+)`", cell)
    owed = [] if guard else ["a guard"]
    return owed + ([] if named else ["a test"]) + [name for name in named if name not in TESTS]


ROWS = [*rows("threat"), *rows("risk")]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:50])
def test_every_threat_has_a_guard_and_tests_that_exist(row: tuple[str, str, str]) -> None:
    assert lacking(row) == []
    assert re.sub(r"`test_\w+`", "", row[2]).strip() == ""


@pytest.mark.parametrize(
    "row",
    [("x", "", "`test_garbage_is_no_token`"), ("x", "y", ""), ("x", "y", "`test_nothing_of_this_name`")],
)
def test_a_row_that_lacks_something_is_found(row: tuple[str, str, str]) -> None:
    assert len(lacking(row)) == 1


def test_each_risk_of_owasp_has_a_row() -> None:
    assert [risk.split()[0] for risk, *_ in rows("risk")] == [f"API{number}" for number in range(1, 11)]


def test_what_is_trusted_is_said() -> None:
    trusted = " ".join(PAGE.split("## What is trusted")[1].split("## ")[0].split())
    assert "What a service's own broker user says is trusted." in trusted
    assert "`shop audit` compares the two databases and names each such order" in trusted


def test_each_threat_is_listed_once() -> None:
    threats = [threat for threat, *_ in ROWS]
    assert len(set(threats)) == len(threats) > 40
