"""Tables, colours and progress bars for people. Text from databases or clients has to go through `shown`."""

from typing import IO

from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.progress import Progress
from rich.table import Table

from kernel.domain.text import harmless


def new_console(file: IO[str] | None = None, width: int | None = None) -> Console:
    """A console that never wraps lines, even on a narrow terminal, so that text can be copied."""
    return Console(emoji=False, soft_wrap=True, file=file, width=width)


def print_table(console: Console, table: Table) -> None:
    """Prints a table. Cells wrap only between words, so the table may be wider than the terminal."""
    ample = console.options.update(max_width=1000)
    for column in table.columns:
        cells = column.header, *column.cells
        column.min_width = max(Measurement.get(console, ample, cell).minimum for cell in cells)
    console.print(table, soft_wrap=False, crop=False)


def new_progress() -> Progress:
    """A progress bar on stderr if stderr is a terminal; otherwise nothing is drawn."""
    stderr = Console(stderr=True)
    return Progress(console=stderr, transient=True, disable=not stderr.is_terminal)


def shown(text: str) -> str:
    """Text from outside, without harmful control characters, and escaped for the console's markup."""
    return escape(harmless(text))
