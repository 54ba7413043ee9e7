"""How the proof shows its progress: a line that moves on a terminal, a line now and then elsewhere, and the
facts."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from tests.chaos.facts import Facts

LINE_EVERY_S = 10.0
SHOWN_MAX = 20


class ProgressLine:
    """Called with what is going on."""

    def __init__(self, console: Console, seconds: float) -> None:
        self._console = console
        self._seconds = seconds
        self._began = time.monotonic()
        self._next_line_at = self._began
        columns = (BarColumn(20), TextColumn("{task.fields[time]}"), TextColumn("{task.description}"))
        self._progress = Progress(*columns, console=console, transient=True)
        self._task = self._progress.add_task("", total=seconds, time="")

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def __call__(self, what: str) -> None:
        now = time.monotonic()
        elapsed_s = now - self._began
        left_s = max(0.0, self._seconds - elapsed_s)
        clock = f"{elapsed_s:4.0f} s, {left_s:.0f} left"
        if self._console.is_terminal:
            self._progress.update(
                self._task, completed=min(elapsed_s, self._seconds), description=escape(what), time=clock
            )
        elif what and now >= self._next_line_at:
            self._next_line_at = now + LINE_EVERY_S
            self._console.print(f"{clock}: {what}", markup=False, highlight=False, soft_wrap=True)


def show(facts: Facts, console: Console) -> None:
    table = Table(title="The proof", show_header=False)
    table.add_column("fact")
    table.add_column("value", justify="right")
    for name, value in facts.rows():
        table.add_row(name, str(value))
    console.print(table)
    for broken in facts.broken[:SHOWN_MAX]:
        console.print(f"[red]{escape(broken)}", soft_wrap=True, highlight=False)
    if facts.broken:
        unseen = len(facts.broken) - SHOWN_MAX
        more = f", {unseen} of them not shown" if unseen > 0 else ""
        console.print(f"[red]Broken promises: {len(facts.broken)}{more}. The logs are in {facts.logs}.")
    else:
        console.print("[green]Every promise was kept.")
