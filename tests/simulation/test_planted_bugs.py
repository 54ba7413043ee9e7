"""The checker is checked: each bug that is planted must be found, by the promise that it breaks."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.simulation import (
    bugs_of_cancellations,
    bugs_of_lanes,
    bugs_of_operators,
    bugs_of_orders,
    bugs_of_payments,
)
from tests.simulation.bugs import BUGS, Bug
from tests.simulation.faults import OneFault
from tests.simulation.scenarios import fair_weather, run
from tests.simulation.shop import Shop
from tests.simulation.test_random import random_run

SEEDS_MAX = 600
PLANTED = (bugs_of_cancellations, bugs_of_lanes, bugs_of_operators, bugs_of_orders, bugs_of_payments)


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bug = BUGS[name]
    for table, key in bug.unguarded:
        monkeypatch.delitem(table.keys, key)  # type: ignore[arg-type]
        monkeypatch.setattr(table, "primary", next(iter(table.keys)))
    for module, constant, value in bug.constants:
        monkeypatch.setattr(module, constant, value)

    seen = set()
    for shop in schedules(bug):
        seen |= {broken.split(":")[0] for broken in shop.broken}
        if bug.breaks in seen:
            return
    pytest.fail(f"{name}: nothing showed that it breaks {str(bug.breaks)!r}, but {seen}")


def schedules(bug: Bug) -> Iterator[Shop]:
    if bug.flow is None:
        options: dict[str, Any] = {
            "destroying": bug.destroying,
            "operators": bug.operators,
            "lanes": bug.lanes,
        }
        for seed in range(SEEDS_MAX):
            yield random_run(seed, bug.users, parts=bug.parts(), ask_again=False, **options)
        return
    if bug.fault is None:
        yield run(OneFault(), bug.flow, parts=bug.parts(), ask_again=False)
        return
    where, fault = bug.fault
    for number, call in enumerate(fair_weather(bug.flow, ask_again=False).calls):
        if call == where:
            yield run(OneFault(number, fault), bug.flow, parts=bug.parts(), ask_again=False)
