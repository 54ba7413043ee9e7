"""Tables, colours and progress bars for people. Text from outside has to go through `shown`."""

from typing import IO

from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.progress import Progress
from rich.table import Table

from kernel.domain.text import harmless


def new_console(file: IO[str] | None = None, width: int | None = None) -> Console:
    """Lines are not wrapped, however narrow the terminal is, so that they can be searched and copied."""
    return Console(emoji=False, soft_wrap=True, file=file, width=width)


def print_table(console: Console, table: Table) -> None:
    """Wraps cells, but only between words: on a very narrow terminal the table is wider than the terminal."""
    ample = console.options.update(max_width=1000)
    for column in table.columns:
        cells = column.header, *column.cells
        column.min_width = max(Measurement.get(console, ample, cell).minimum for cell in cells)
    console.print(table, soft_wrap=False, crop=False)


def new_progress() -> Progress:
    """A bar on stderr, if that is a terminal; any other stderr is for errors only."""
    stderr = Console(stderr=True)
    return Progress(console=stderr, transient=True, disable=not stderr.is_terminal)


def shown(text: str) -> str:
    """Text from outside, made harmless and escaped for the markup of a console."""
    return escape(harmless(text))
