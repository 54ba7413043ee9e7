"""Tables, colours and progress for people. What comes from outside goes through `shown`."""

from typing import IO

from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.progress import Progress
from rich.table import Table

from kernel.domain.text import harmless


def new_console(file: IO[str] | None = None, width: int | None = None) -> Console:
    """A line stays one line, however narrow the terminal: what it says can be searched for and copied."""
    return Console(emoji=False, soft_wrap=True, file=file, width=width)


def print_table(console: Console, table: Table) -> None:
    """Cells are wrapped between words. Where a terminal is too narrow even for that, the table is wider."""
    ample = console.options.update(max_width=1000)
    for column in table.columns:
        cells = column.header, *column.cells
        column.min_width = max(Measurement.get(console, ample, cell).minimum for cell in cells)
    console.print(table, soft_wrap=False, crop=False)


def new_progress() -> Progress:
    """On a terminal only: elsewhere stderr is for what went wrong."""
    stderr = Console(stderr=True)
    return Progress(console=stderr, transient=True, disable=not stderr.is_terminal)


def shown(text: str) -> str:
    """Text from outside, as it is written in the markup of a console."""
    return escape(harmless(text))
