"""Steps of a series: which there are, when each is computed, and what it tells."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from orders.domain.series import STEP, STEPS_SHOWN, Measured, due, starts_shown, step_of

START = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
EMPTY = Measured(0, 0, [])


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@pytest.mark.parametrize("seconds", [0, 0.001, 14.999])
def test_the_last_fifteen_minutes_are_shown_up_to_the_step_that_is_open(seconds: float) -> None:
    starts = starts_shown(after(seconds))
    assert starts[-1] == START
    assert starts[0] == after(15 - 15 * 60)
    assert {later - earlier for earlier, later in pairwise(starts)} == {STEP}
    assert len(starts) == STEPS_SHOWN


def test_a_step_that_nobody_has_computed_is_due() -> None:
    assert due([START], {}, after(1)) == [START]


@pytest.mark.parametrize(
    ("computed", "now", "is_due"),
    [(3, 7.9, False), (3, 8, True), (24.9, 29, False), (24.9, 29.9, True), (25, 1000, False)],
)
def test_a_step_is_computed_every_five_seconds_until_it_is_final(
    computed: float, now: float, is_due: bool
) -> None:
    known = {START: step_of(START, EMPTY, after(computed))}
    assert due([START], known, after(now)) == [START] * is_due


def test_a_step_computed_ten_seconds_after_its_end_is_final() -> None:
    assert not step_of(START, EMPTY, after(24.999)).is_final
    assert step_of(START, EMPTY, after(25)).is_final


def test_percentiles_are_values_that_were_measured() -> None:
    seconds = [n / 100 for n in range(200, 0, -1)]
    step = step_of(START, Measured(5000, 300, seconds), after(30))
    assert (step.orders, step.sampled, step.decided) == (5000, 300, 200)
    assert (step.p50_s, step.p99_s) == (1.0, 1.98)
    one = step_of(START, Measured(1, 1, [0.25]), after(30))
    assert (one.p50_s, one.p99_s) == (0.25, 0.25)


def test_there_is_no_percentile_where_no_order_is_decided() -> None:
    step = step_of(START, Measured(3, 3, []), after(30))
    assert (step.decided, step.p50_s, step.p99_s) == (0, None, None)


@pytest.mark.parametrize(("computed", "rate"), [(0, 0.0), (5, 6.0), (15, 2.0), (40, 2.0)])
def test_orders_a_second_are_those_of_the_time_that_has_passed(computed: float, rate: float) -> None:
    assert step_of(START, Measured(30, 0, []), after(computed)).per_second == rate
