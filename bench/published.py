"""The figures of the last run in the READMEs, between two markers: nobody copies them by hand."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

LAST_RUN, LAST_LONG_RUN = "the last run", "the last long run"
ROOT = Path(__file__).parents[1]
BENCH = ROOT / "bench/README.md"

ENGLISH = {
    "clients": "clients",
    "three": "three processes and RabbitMQ",
    "one": "one process (`make run`)",
    "floor": "F1: bare in PostgreSQL",
    "on": "{date}, {machine}; in brackets the median ratio to F1 of the same minute.",
}
RUSSIAN = {
    "clients": "клиентов",
    "three": "три процесса и RabbitMQ",
    "one": "один процесс (`make run`)",
    "floor": "F1: то же в PostgreSQL без магазина",
    "on": "{date}, {machine}; в скобках медиана отношения к F1 той же минуты.",
}


def pages(document: Mapping[str, Any]) -> dict[Path, str]:
    """What each page says with the figures of `make bench`."""
    shown = {
        ROOT / "README.md": curve(document, ENGLISH),
        ROOT / "README.ru.md": curve(document, RUSSIAN),
        BENCH: all_rows(document),
    }
    return {path: within(path.read_text(), LAST_RUN, content) for path, content in shown.items()}


def long_page(document: Mapping[str, Any]) -> str:
    """What the page of the benches says with the figures of `make bench-long`."""
    return within(BENCH.read_text(), LAST_LONG_RUN, all_rows(document))


def curve(document: Mapping[str, Any], words: Mapping[str, str]) -> str:
    """Orders decided a second, for each number of clients."""
    rows = {row["key"]: row for row in document["rows"]}
    clients = [key.removeprefix("three-") for key in rows if key.startswith("three-")]
    cells = [
        [words[key], *(_decided(rows[f"{key}-{number}"]) for number in clients)] for key in ("three", "one")
    ]
    cells.append([words["floor"], *(f"{rows[f'three-{number}']['floor_median']:,.0f}" for number in clients)])
    on = words["on"].format(date=document["at"][:10], machine=document["machine"])
    return f"{table([words['clients'], *clients], cells)}\n{on}\n"


def all_rows(document: Mapping[str, Any]) -> str:
    rows = [
        [
            row["title"],
            figure(row["median"], row["unit"]),
            row["floor"],
            figure(row["floor_median"], row["unit"]),
            f"{row['ratio']:.2f} ({', '.join(f'{ratio:.2f}' for ratio in row['ratios'])})",
            f"≥ {row['at_least']:g}" if row["at_least"] is not None else f"≤ {row['at_most']:g}",
            "reached" if row["reached"] else "**missed**",
        ]
        for row in document["rows"]
    ]
    facts = "".join(f"- {name}: {value:,.0f}\n" for name, value in document["facts"].items())
    head = ["row", "median", "floor", "its median", "ratio (of each round)", "to reach", ""]
    return f"{document['at'][:10]}, {document['machine']}.\n\n{table(head, rows)}\n{facts}"


def _decided(row: Mapping[str, Any]) -> str:
    return f"{row['median']:,.0f} ({row['ratio']:.2f})"


def figure(value: float, unit: str) -> str:
    if unit == "s":
        return f"{value * 1000:,.1f} ms"
    return f"{value:.2f} %" if unit == "%" else f"{value:,.0f} {unit}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """In Markdown, all columns but the first aligned to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def within(text: str, name: str, content: str) -> str:
    """The text with this content between its two markers of this name."""
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->\n"
    before, _, rest = text.partition(begin)
    _, marker, after = rest.partition(end)
    if not marker:
        sys.exit(f"A page lacks {begin.strip()} or {end.strip()}.")
    return f"{before}{begin}\n{content}\n{end}{after}"
