import pytest

from kernel.application.gathering import BUSY_SHARE, INTERVAL_MAX_S, MEASURED_S, Gathering
from tests.memory.clock import MemoryClock


class WorkingClock(MemoryClock):
    """The clock of a process that works for a share of the time."""

    cpu = 0.0

    def cpu_s(self) -> float:
        return self.cpu

    def work(self, share: float, seconds: float = 1.0) -> None:
        self.cpu += share * seconds
        self.advance(seconds)


def test_nothing_is_waited_for_while_the_process_is_idle() -> None:
    clock = WorkingClock()
    gathering = Gathering(clock)
    clock.work(0.0)
    assert gathering.interval_s() == 0.0


@pytest.mark.parametrize(
    ("share", "interval_s"),
    [(BUSY_SHARE / 4, INTERVAL_MAX_S / 4), (BUSY_SHARE, INTERVAL_MAX_S), (1.0, INTERVAL_MAX_S)],
)
def test_the_busier_the_process_the_longer_is_the_interval(share: float, interval_s: float) -> None:
    clock = WorkingClock()
    gathering = Gathering(clock)
    clock.work(share)
    assert gathering.interval_s() == pytest.approx(interval_s)


def test_how_busy_it_is_is_told_by_what_was_measured_last() -> None:
    clock = WorkingClock()
    gathering = Gathering(clock)
    clock.work(1.0)
    gathering.interval_s()
    clock.work(0.0, MEASURED_S / 2)
    assert gathering.interval_s() == INTERVAL_MAX_S
    clock.work(0.0, MEASURED_S / 2)
    assert gathering.interval_s() == 0.0
