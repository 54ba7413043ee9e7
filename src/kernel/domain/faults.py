"""The results of an audit's checks."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from kernel.domain.money import in_units
from kernel.domain.value import value

# Work that is under way for longer counts as forgotten.
IN_FLIGHT_MAX = timedelta(seconds=60)
# A report stays short, however many faults there are: it counts all of them, and lists only the first.
SHOWN_MAX = 100


@value
class Fault:
    """A fault. `subject` is an order, account or message; `kind` is a stable word for programs."""

    subject: str
    kind: str
    found: str
    expected: str


@dataclass
class Checked:
    """The result of a check. It read `count` rows and found `fault_count` faults. `faults` has the first
    SHOWN_MAX of them."""

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
