"""The report of an audit, and how it is collected."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from kernel.contracts.operators import CheckedRows, Finding, finding
from kernel.domain.faults import SHOWN_MAX, Fault


class Waiting(msgspec.Struct, frozen=True, rename="camel"):
    """What was under way when the audit read the databases: orders by status, and rows of the outboxes; rows
    that are set aside for another lane are counted apart. `not_running` names the services that are not
    running on their database."""

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


def joined(reports: Sequence[Report]) -> Report:
    """The reports of all lanes as one."""
    checked: dict[str, CheckedRows] = {}
    for report in reports:
        for one in report.checked:
            known = checked.get(one.check, CheckedRows(one.check, 0, 0))
            checked[one.check] = CheckedRows(one.check, known.count + one.count, known.faults + one.faults)
    waiting = [report.waiting for report in reports]
    return Report(
        sound=all(report.sound for report in reports),
        checked=list(checked.values()),
        waiting=Waiting(
            sum(one.new for one in waiting),
            sum(one.refunding for one in waiting),
            sum(one.outbox for one in waiting),
            list(dict.fromkeys(name for one in waiting for name in one.not_running)),
            sum(one.set_aside for one in waiting),
        ),
        parked=sum(report.parked for report in reports),
        fault_count=sum(report.fault_count for report in reports),
        faults=[fault for report in reports for fault in report.faults][:SHOWN_MAX],
    )


class Findings:
    """Counts faults while the audit runs, and keeps the first SHOWN_MAX."""

    def __init__(self) -> None:
        self._faults: list[Finding] = []
        self._counts: Counter[str] = Counter()

    def add(self, check: str, faults: Iterable[Fault]) -> None:
        for fault in faults:
            self._counts[check] += 1
            if len(self._faults) < SHOWN_MAX:
                self._faults.append(finding(check, fault))

    def report(self, counts: Mapping[str, int], waiting: Waiting, parked: int) -> Report:
        """`counts` has the rows of each check, in the order of the report."""
        fault_count = self._counts.total()
        order = list(counts)
        return Report(
            sound=fault_count == 0,
            checked=[CheckedRows(check, count, self._counts[check]) for check, count in counts.items()],
            waiting=waiting,
            parked=parked,
            fault_count=fault_count,
            faults=sorted(self._faults, key=lambda one: order.index(one.check)),
        )
