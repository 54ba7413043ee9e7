"""The series of all lanes is not that of their average lane."""

from datetime import datetime

import pytest

from orders.adapters.outbound.lanes import MeasuredOrdersOfLanes
from orders.domain.series import STEP, Measured
from tests.unit.clock import START


class Lane:
    """All of its orders took the same time."""

    def __init__(self, orders: int, seconds: float) -> None:
        self._orders = orders
        self._seconds = seconds

    async def measure(self, start: datetime, end: datetime, *, sample_max: int) -> Measured:
        sampled = min(self._orders, sample_max)
        return Measured(self._orders, sampled, [self._seconds] * sampled)


async def measured(*lanes: Lane) -> Measured:
    return await MeasuredOrdersOfLanes(lanes).measure(START, START + STEP, sample_max=100)


async def test_of_each_lane_as_much_is_looked_at_as_it_has_of_the_orders() -> None:
    found = await measured(Lane(9000, 2.0), Lane(1000, 0.1), Lane(0, 0.0))
    assert (found.orders, found.sampled) == (10_000, 100)
    assert (found.seconds.count(2.0), found.seconds.count(0.1)) == (90, 10)


@pytest.mark.parametrize(("one", "other"), [(0, 0), (0, 3), (60, 30)])
async def test_few_orders_are_all_looked_at(one: int, other: int) -> None:
    found = await measured(Lane(one, 2.0), Lane(other, 0.1))
    assert found == Measured(one + other, one + other, [2.0] * one + [0.1] * other)
