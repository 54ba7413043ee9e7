import gc
import logging
from collections.abc import Iterator

import pytest

from tests.simulation.scenarios import TALLY


@pytest.fixture(autouse=True)
def undisturbed() -> Iterator[None]:
    """Runs tell of their faults themselves, and errors break a promise; garbage is collected between runs."""
    logging.disable(logging.WARNING)
    gc.collect()
    gc.freeze()
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()
    logging.disable(logging.NOTSET)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if TALLY:
        summary = ", ".join(f"{count} {what}" for what, count in TALLY.items())
        terminalreporter.write_line(f"simulation: {summary}")
