"""Writes the figures of the last run into the pages, between markers, so that nobody copies them by hand."""

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

LAST_RUN, LAST_LONG_RUN = "the last run", "the last long run"
ROOT = Path(__file__).parents[1]
BENCH = ROOT / "bench/README.md"
PERFORMANCE = ROOT / "docs/performance.md"

# The READMEs show one number of clients; docs/performance.md shows all.
CLIENTS = 128
ENGLISH = (
    "With {clients} clients, three processes and RabbitMQ decide {decided} orders a second. For comparison:\n"
    "`pgbench` stores {floor} such orders a second in PostgreSQL, each in a transaction of its own\n"
    "({date}, {machine})."
)
RUSSIAN = (
    "При {clients} клиентах три процесса и RabbitMQ обрабатывают {decided} заказов за секунду.\n"
    "Для сравнения: `pgbench` записывает в PostgreSQL {floor} таких же заказов за секунду,\n"
    "каждый отдельной транзакцией\n"
    "({date}, {machine})."
)


def pages(document: Mapping[str, Any]) -> dict[Path, str]:
    """The new text of each page, with the figures of `make bench`."""
    shown = {
        ROOT / "README.md": sentence(document, ENGLISH),
        ROOT / "README.ru.md": sentence(document, RUSSIAN),
        PERFORMANCE: curve(document),
        BENCH: all_rows(document),
    }
    return {path: within(path.read_text(), LAST_RUN, content) for path, content in shown.items()}


def long_page(document: Mapping[str, Any]) -> str:
    """The new text of bench/README.md, with the figures of `make bench-long`."""
    return within(BENCH.read_text(), LAST_LONG_RUN, all_rows(document))


def sentence(document: Mapping[str, Any], words: str) -> str:
    row = next(row for row in document["rows"] if row["key"] == f"three-{CLIENTS}")
    decided, floor = f"{row['median']:,.0f}", f"{row['floor_median']:,.0f}"
    machine = document["machine"]
    if words is RUSSIAN:
        decided, floor = (figure.replace(",", "\u00a0") for figure in (decided, floor))
        machine = re.sub(r"^(\d+) cores of ", r"ядер: \1, ", machine)
    date = document["at"][:10]
    return words.format(clients=CLIENTS, decided=decided, floor=floor, date=date, machine=machine) + "\n"


def curve(document: Mapping[str, Any]) -> str:
    """A table for each number of clients: orders decided per second, the floor, and their ratio."""
    rows = {row["key"]: row for row in document["rows"]}
    clients = [key.removeprefix("three-") for key in rows if key.startswith("three-")]
    titles = {"three": "three processes and RabbitMQ", "one": "one process (`make run`)"}
    cells = [
        [title, *(_decided(rows[f"{key}-{number}"]) for number in clients)] for key, title in titles.items()
    ]
    on = f"{document['at'][:10]}, {document['machine']}. In brackets: the ratio to F1, and that F1."
    return f"{table(['clients', *clients], cells)}\n{on}\n"


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
    head = [
        "row",
        "median",
        "floor",
        "its median",
        "median of the rounds' ratios (each round)",
        "to reach",
        "",
    ]
    return f"{document['at'][:10]}, {document['machine']}.\n\n{table(head, rows)}\n{facts}"


def _decided(row: Mapping[str, Any]) -> str:
    """The quotient is that of the two figures shown; bench/README.md judges by the ratio of each round."""
    median, floor = row["median"], row["floor_median"]
    return f"{median:,.0f} ({median / floor:.2f} times {floor:,.0f})"


def figure(value: float, unit: str) -> str:
    if unit == "s":
        return f"{value * 1000:,.1f} ms"
    return f"{value:.2f} %" if unit == "%" else f"{value:,.0f} {unit}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first are aligned to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def within(text: str, name: str, content: str) -> str:
    """The text with `content` between its two markers of this name."""
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->\n"
    before, _, rest = text.partition(begin)
    _, marker, after = rest.partition(end)
    if not marker:
        sys.exit(f"A page lacks {begin.strip()} or {end.strip()}.")
    return f"{before}{begin}\n{content}\n{end}{after}"
