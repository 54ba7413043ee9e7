import signal
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from tests.memory.clock import MemoryClock

HANGS_AFTER_S = 60

# How long an example takes tells of the machine, not of the rule.
settings.register_profile("unit", deadline=None, max_examples=50)
settings.load_profile("unit")


@pytest.fixture(autouse=True)
def hanging_is_failing() -> Iterator[None]:
    """A test that waits for an answer that never comes fails alone, and the run goes on.

    A regular expression that would take minutes is ended too: it looks for signals while it matches.
    """

    def fail(*_: Any) -> None:
        raise TimeoutError(f"the test hangs for {HANGS_AFTER_S} s")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(HANGS_AFTER_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def clock() -> MemoryClock:
    return MemoryClock()
