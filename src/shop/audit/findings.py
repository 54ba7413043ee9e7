"""The report of an audit, and the findings from which it is built."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from kernel.contracts.operators import CheckedRows, Finding, finding
from kernel.domain.faults import SHOWN_MAX, Checked


class Waiting(msgspec.Struct, frozen=True, rename="camel"):
    """Work that was pending when the audit read the databases: the number of orders in NEW and REFUNDING, and
    of outbox rows. `set_aside` counts the outbox rows that wait for another lane; `outbox` does not include
    them. `not_running` names the services without a session on their database."""

    new: int
    refunding: int
    outbox: int
    not_running: list[str]
    set_aside: int = 0


class Report(msgspec.Struct, frozen=True, rename="camel"):
    """`faults` holds the first 100 of `fault_count` faults; `parked` counts the parked messages."""

    sound: bool
    checked: list[CheckedRows]
    waiting: Waiting
    parked: int
    fault_count: int
    faults: list[Finding]


@dataclass
class Findings:
    """Collects the results of an audit, lane by lane."""

    checked: Mapping[str, Checked]
    """The result of each check, by the check's name, in the order of the report."""
    waiting: list[Waiting] = field(default_factory=list)
    """The pending work of each lane."""
    parked: int = 0

    def report(self) -> Report:
        checked, waiting = self.checked.values(), self.waiting
        fault_count = sum(one.fault_count for one in checked)
        faults = [finding(one.check, fault) for one in checked for fault in one.faults]
        return Report(
            sound=fault_count == 0,
            checked=[CheckedRows(one.check, one.count, one.fault_count) for one in checked],
            waiting=Waiting(
                sum(one.new for one in waiting),
                sum(one.refunding for one in waiting),
                sum(one.outbox for one in waiting),
                list(dict.fromkeys(name for one in waiting for name in one.not_running)),
                sum(one.set_aside for one in waiting),
            ),
            parked=self.parked,
            fault_count=fault_count,
            faults=faults[:SHOWN_MAX],
        )
