"""How many orders were placed, and how soon they were decided, in steps of the time they were placed at."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import ceil

from kernel.domain.value import value

STEP = timedelta(seconds=15)
STEPS_SHOWN = 60
KEPT = timedelta(hours=1)
SAMPLE_MAX = 2000
# Most orders are decided by then; later decisions do not change the step.
SETTLES_AFTER = timedelta(seconds=10)
RENEWED_EVERY = timedelta(seconds=5)


@value
class Measured:
    """Of a step: how many orders it has, how many of them were looked at, and the seconds that those of them
    that are decided took."""

    orders: int
    sampled: int
    seconds: Sequence[float]


@value(kw_only=True)
class Step:
    """`p50_s` and `p99_s` come from the `decided` of the `sampled` orders; None where none is decided."""

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
        """Of a step that is still open, of the time that has passed of it."""
        passed = min(STEP, self.computed_at - self.start).total_seconds()
        return self.orders / passed if passed > 0 else 0.0


def starts_shown(now: datetime) -> list[datetime]:
    """Of the newest steps, the oldest first; the last one is still open."""
    seconds = int(STEP.total_seconds())
    newest = datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, UTC)
    return [newest - STEP * back for back in range(STEPS_SHOWN - 1, -1, -1)]


def due(starts: Iterable[datetime], known: Mapping[datetime, Step], now: datetime) -> list[datetime]:
    """The steps to compute: those that nobody has computed, and those not final and `RENEWED_EVERY` old."""
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
    """The nearest rank: a value that was measured."""
    return ordered[ceil(part * len(ordered)) - 1] if ordered else None
