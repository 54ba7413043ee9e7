"""Measured figures come from bench/results, or say when they were measured.

`make bench` writes figures between markers, which tests/unit/bench/test_published.py holds.
"""

import re
from collections.abc import Iterator

import pytest

from tests.docs.markdown import ROOT, pages, prose

PERFORMANCE = ("README.md", "README.ru.md", "docs/performance.md")
UNITS = "µs|ms|s|kB|KB|MB|GB|мкс|мс|КБ|МБ|seconds?|minutes?|orders|times|секунд\\w*|минут\\w*|заказ\\w*|раза?"
NUMBERS = r"\d(?:[\d,.\u00a0]*\d)?|two|three|five|seven|ten|две|три|пять|семь|десять"
FIGURE = re.compile(rf"(?<![\w:.-])({NUMBERS})( |-|\u00a0)?((?:{UNITS})\b|/s\b|%)", re.IGNORECASE)
# What is no measurement, and what it follows from.
KNOWN = {
    "ten minutes": "PROVE_MINUTES, held below",
    "десять минут": "PROVE_MINUTES, held below",
    "ten seconds": "`Prefer: wait=10` beside it",
    "десять секунд": "`Prefer: wait=10` beside it",
}
# Words by which a section says where its figures come from.
ORIGIN = re.compile(r"\b20\d\d-\d\d-\d\d\b|decision|bench")
MEASURED = re.compile(r"\d[\d,.]* ?(?:µs|/s|orders a second)\b|\bMeasured\b")


def figures(text: str) -> Iterator[str]:
    """The figures that no marker encloses."""
    written = re.sub(r"<!-- ([^/].*?) -->.*?<!-- /\1 -->", "", text, flags=re.DOTALL)
    return (" ".join(match[0].split()) for match in FIGURE.finditer(prose(written)))


@pytest.mark.parametrize("page", PERFORMANCE)
def test_a_page_about_speed_has_no_figure_but_those_of_the_last_run(page: str) -> None:
    assert set(figures(pages()[page])) - KNOWN.keys() == set()


def test_a_figure_written_by_hand_is_seen() -> None:
    text = "It takes 3.2 ms.\n<!-- the last run -->\n5 ms\n<!-- /the last run -->\n4\u00a0682 заказа"
    assert list(figures(text)) == ["3.2 ms", "4 682 заказа"]


def test_the_minutes_of_a_proof_are_those_that_the_readmes_tell() -> None:
    assert 'os.environ.get("PROVE_MINUTES") or 10)' in (ROOT / "tests/chaos/__main__.py").read_text()


def sections(text: str) -> list[str]:
    return re.split(r"^#+ ", prose(text), flags=re.MULTILINE)


OTHERS = [page for page in pages() if page.startswith("docs/") and "/decisions/" not in page]


@pytest.mark.parametrize("page", sorted({*OTHERS} - {*PERFORMANCE}))
def test_a_section_with_measured_figures_says_where_they_come_from(page: str) -> None:
    for section in sections(pages()[page]):
        assert not MEASURED.search(section) or ORIGIN.search(section), section.splitlines()[0]
