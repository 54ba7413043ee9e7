"""The results of an audit's checks."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from kernel.domain.money import in_units
from kernel.domain.value import value

# How long work may be under way before it counts as forgotten.
IN_FLIGHT_MAX = timedelta(seconds=60)
# A report stays short however many faults there are: all are counted, and only the first are listed.
SHOWN_MAX = 100


@value
class Fault:
    """`subject` names the order, account or message; `kind` is a stable word for programs."""

    subject: str
    kind: str
    found: str
    expected: str


@dataclass
class Checked:
    """The result of a check: it read `count` rows and found `fault_count` faults; `faults` holds the first
    SHOWN_MAX of these."""

    check: str
    count: int = 0
    fault_count: int = 0
    faults: list[Fault] = field(default_factory=list)

    def add(self, faults: Iterable[Fault]) -> None:
        for fault in faults:
            self.fault_count += 1
            if len(self.faults) < SHOWN_MAX:
                self.faults.append(fault)


def money(minor: int | Decimal | None) -> str:
    return "nothing" if minor is None else str(in_units(int(minor)))


def word(value: Any) -> str:
    return "nothing" if value is None else str(value)
