"""The series for operators: for each 15 seconds, the number of orders and their times to a decision."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import ceil

from kernel.domain.value import value

STEP = timedelta(seconds=15)
STEPS_SHOWN = 60
KEPT = timedelta(hours=1)
SAMPLE_MAX = 2000
# A step is final this long after its end. Most orders are decided by then; later decisions do not count.
SETTLES_AFTER = timedelta(seconds=10)
RENEWED_EVERY = timedelta(seconds=5)


@value
class Measured:
    """The numbers of all and of sampled orders in a step. `seconds` are the times from order to decision, one
    for each sampled order with a decision."""

    orders: int
    sampled: int
    seconds: Sequence[float]


@value(kw_only=True)
class Step:
    """`p50_s` and `p99_s` are percentiles over the `decided` sampled orders; None if `decided` is 0."""

    start: datetime
    orders: int
    sampled: int
    decided: int
    p50_s: float | None
    p99_s: float | None
    computed_at: datetime

    @property
    def is_final(self) -> bool:
        return self.computed_at >= self.start + STEP + SETTLES_AFTER

    @property
    def per_second(self) -> float:
        """Orders per second. For a step that is still open, only the time that has passed counts."""
        passed = min(STEP, self.computed_at - self.start).total_seconds()
        return self.orders / passed if passed > 0 else 0.0


def starts_shown(now: datetime) -> list[datetime]:
    """The start times of the newest steps, oldest first. The last step is still open."""
    seconds = int(STEP.total_seconds())
    newest = datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, UTC)
    return [newest - STEP * back for back in range(STEPS_SHOWN - 1, -1, -1)]


def due(starts: Iterable[datetime], known: Mapping[datetime, Step], now: datetime) -> list[datetime]:
    """The starts of missing steps, and of steps not final and computed over `RENEWED_EVERY` ago."""
    return [start for start in starts if start not in known or _is_due(known[start], now)]


def _is_due(step: Step, now: datetime) -> bool:
    return not step.is_final and now - step.computed_at >= RENEWED_EVERY


def step_of(start: datetime, measured: Measured, measured_at: datetime) -> Step:
    seconds = sorted(measured.seconds)
    return Step(
        start=start,
        orders=measured.orders,
        sampled=measured.sampled,
        decided=len(seconds),
        p50_s=_percentile(seconds, 0.50),
        p99_s=_percentile(seconds, 0.99),
        computed_at=measured_at,
    )


def _percentile(ordered: Sequence[float], part: float) -> float | None:
    """The percentile by nearest rank, which is one of the values; None without values."""
    return ordered[ceil(part * len(ordered)) - 1] if ordered else None
