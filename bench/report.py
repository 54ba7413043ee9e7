"""The rows of a bench, with progress and a table on the terminal, and JSON in bench/results."""

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.published import figure

RESULTS = Path(__file__).parent / "results"

console = Console(stderr=True)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Shows a step of the bench while it runs, and its duration afterwards."""
    started = time.monotonic()
    with console.status(title):
        yield
    console.print(f"[dim]{time.monotonic() - started:5.1f} s[/]  {title}")


@dataclass(frozen=True)
class Row:
    """One row: a figure of each round, its floor in the same round, and the ratio that has to be reached.

    `unit` is the unit of both. `at_most` replaces `at_least` when less is better, as for seconds.
    """

    key: str
    title: str
    floor_title: str
    unit: str
    measured: Sequence[float]
    floors: Sequence[float]
    at_least: float | None = None
    at_most: float | None = None

    @property
    def ratios(self) -> list[float]:
        return [measured / floor for measured, floor in zip(self.measured, self.floors, strict=True)]

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)

    @property
    def reached(self) -> bool:
        return (self.at_least is None or self.ratio >= self.at_least) and (
            self.at_most is None or self.ratio <= self.at_most
        )


def as_json(rows: Sequence[Row], facts: dict[str, float], minutes: float) -> dict[str, object]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "minutes": round(minutes, 1),
        "machine": machine(),
        "facts": {name: round(value, 1) for name, value in facts.items()},
        "rows": [
            {
                "key": row.key,
                "title": row.title,
                "unit": row.unit,
                "median": statistics.median(row.measured),
                "floor": row.floor_title,
                "floor_median": statistics.median(row.floors),
                "ratio": round(row.ratio, 3),
                "ratios": [round(ratio, 3) for ratio in row.ratios],
                "at_least": row.at_least,
                "at_most": row.at_most,
                "reached": row.reached,
            }
            for row in rows
        ],
    }


def machine() -> str:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return f"{os.cpu_count()} cores of {model}, Python {platform.python_version()}, {platform.system()}"


def show(console: Console, rows: Sequence[Row], facts: dict[str, float]) -> None:
    table = Table(title=f"{machine()}, {datetime.now(UTC):%Y-%m-%d}")
    for title in ("what", "median", "floor", "median", "ratio", "spread", "to reach", ""):
        table.add_column(title, justify="left" if title in ("what", "floor", "") else "right")
    for row in rows:
        reach = f"≥ {row.at_least:g}" if row.at_least is not None else f"≤ {row.at_most:g}"
        table.add_row(
            row.title,
            figure(statistics.median(row.measured), row.unit),
            row.floor_title,
            figure(statistics.median(row.floors), row.unit),
            f"{row.ratio:.2f}",
            f"{min(row.ratios):.2f}-{max(row.ratios):.2f}",
            reach,
            "reached" if row.reached else "[bold red]missed[/]",
        )
    console.print(table)
    for name, value in facts.items():
        console.print(f"{name}: {value:,.0f}")


def text(document: dict[str, object]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


def write(name: str, content: str) -> None:
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / name).write_text(content)


def on_stdout() -> Console:
    """A console that is wide enough for the table when stdout is no terminal."""
    return Console(width=None if sys.stdout.isatty() else 120)
