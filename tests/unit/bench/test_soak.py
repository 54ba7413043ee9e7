"""What a soak may grow by: bench/soak_rows.py."""

from dataclasses import replace

import pytest

from bench.report import Row
from bench.servers import TABLES
from bench.soak import LOOKS, Look, TableSize
from bench.soak_rows import MB, assessed

BASE = Look(
    {"gateway": 100.0, "orders": 100.0, "payments": 100.0},
    {f"{name}.{table}": TableSize(0, 0, 0) for name, tables in TABLES.items() for table in tables},
)


def look(number: int, *, gateway_mb: float = 100.0, outbox_mb: float = 1.0, order_bytes: int = 900) -> Look:
    """The shop after so many thousands of orders."""
    count = 1000 * number
    tables = {
        "orders.orders": TableSize(count, order_bytes * count, 0),
        "orders.outbox": TableSize(0, round(outbox_mb * MB), 0),
        "payments.transfers": TableSize(count, 500 * count, 0),
    }
    return replace(BASE, memory_mb=BASE.memory_mb | {"gateway": gateway_mb}, tables=BASE.tables | tables)


def missed(looks: list[Look]) -> set[str]:
    return {row.key for row in assessed(looks) if not row.reached}


def found(looks: list[Look], key: str) -> Row:
    (row,) = (row for row in assessed(looks) if row.key == key)
    return row


def test_a_shop_that_keeps_only_its_orders_passes() -> None:
    looks = [look(number) for number in range(LOOKS)]
    assert missed(looks) == set()
    row = found(looks, "soak-data-orders")
    assert (row.measured, row.floors) == ([900], [900])


def test_a_service_that_keeps_something_of_each_order_is_found() -> None:
    assert missed([look(number, gateway_mb=100 + number / 2) for number in range(LOOKS)]) == {
        "soak-memory-gateway"
    }


def test_a_single_moment_decides_nothing() -> None:
    looks = [look(number) for number in range(LOOKS)]
    looks[-2] = look(LOOKS - 2, gateway_mb=200)
    assert missed(looks) == set()


@pytest.mark.parametrize(("peak_mb", "misses"), [(20.0, set()), (26.0, {"soak-outbox-orders"})])
def test_an_outbox_is_held_against_its_largest_size_between_vacuums(peak_mb: float, misses: set[str]) -> None:
    looks = [look(number, outbox_mb=20.0 if number % 6 == 0 else 2.0) for number in range(LOOKS)]
    looks[-1] = look(LOOKS - 1, outbox_mb=peak_mb)
    assert missed(looks) == misses


def test_orders_that_take_ever_more_room_are_found() -> None:
    looks = [look(number, order_bytes=900 + 10 * number) for number in range(LOOKS)]
    assert missed(looks) == {"soak-data-orders"}
