"""The pages show the figures of the last runs, and no others."""

import json
from typing import Any

from bench.peers import table as peers
from bench.published import BENCH, long_page, pages, within
from bench.report import RESULTS


def result(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((RESULTS / name).read_text())
    return document


def test_every_page_shows_the_figures_of_the_last_run() -> None:
    shown = pages(result("latest.json"))
    assert len(shown) == 4
    for path, text in shown.items():
        assert path.read_text() == text, f"{path}: `make bench` writes its figures"


def test_the_page_of_the_benches_shows_the_figures_of_the_last_long_run() -> None:
    assert BENCH.read_text() == long_page(result("long.json"))


def test_the_pages_of_the_peers_show_the_figures_of_the_last_run() -> None:
    for path, text in peers.pages(result("peers.json")).items():
        assert path.read_text() == text, f"{path}: `make bench-peers` writes its figures"


def test_what_stands_around_the_figures_stays() -> None:
    page = "before\n<!-- it -->\nold\n<!-- /it -->\nafter\n"
    assert within(page, "it", "new") == "before\n<!-- it -->\n\nnew\n<!-- /it -->\nafter\n"
    assert within(within(page, "it", "new"), "it", "newer") == within(page, "it", "newer")
