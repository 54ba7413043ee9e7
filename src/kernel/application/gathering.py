"""Decides how long work waits for more work: a batch of one call costs about as much as a batch of many."""

from kernel.ports.clock import Clock

# A batch waits for the callers of the last batch, for this share of the time that the last batch took.
COMPANY_SHARE = 0.5
COMPANY_MAX_S = 0.02

INTERVAL_MAX_S = 0.05
BUSY_SHARE = 0.4
MEASURED_S = 0.25


class Company:
    """The callers of the last batch. They are likely to call again at once, and then share the next batch."""

    def __init__(self) -> None:
        self._calls_count = 0
        self._until = 0.0

    def answered(self, calls_count: int, *, took_s: float, now: float) -> None:
        """A batch has ended. `calls_count` is the number of calls in it plus the calls that wait."""
        self._calls_count = calls_count
        self._until = now + min(COMPANY_MAX_S, COMPANY_SHARE * took_s)

    def awaited_until(self, waiting_count: int) -> float:
        """Returns when the next batch begins at the latest; 0 if as many calls wait as last time, or more."""
        return self._until if waiting_count < self._calls_count else 0.0


class Gathering:
    """Sets the interval between rounds of work that no caller waits for, such as the rounds of a relay.

    The interval grows with the process's share of a processor: it is 0 at no share, and INTERVAL_MAX_S from
    BUSY_SHARE on. The share is measured over MEASURED_S or longer.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since, self._cpu_s = clock.monotonic(), clock.cpu_s()
        self._interval_s = 0.0

    def interval_s(self) -> float:
        """Returns the seconds from the beginning of one round to the beginning of the next."""
        now = self._clock.monotonic()
        passed_s = now - self._since
        if passed_s >= MEASURED_S:
            cpu_s = self._clock.cpu_s()
            share = (cpu_s - self._cpu_s) / passed_s
            self._since, self._cpu_s = now, cpu_s
            self._interval_s = INTERVAL_MAX_S * min(1.0, share / BUSY_SHARE)
        return self._interval_s
