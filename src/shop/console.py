"""Tables, colours and progress for people. What comes from outside goes through `shown`."""

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from kernel.domain.text import harmless


def new_console() -> Console:
    return Console(emoji=False)


def new_progress() -> Progress:
    """On a terminal only: elsewhere stderr is for what went wrong."""
    stderr = Console(stderr=True)
    return Progress(console=stderr, transient=True, disable=not stderr.is_terminal)


def shown(text: str) -> str:
    """Text from outside, as it is written in the markup of a console."""
    return escape(harmless(text))
