"""What services tell operators, and the gateway joins."""

from typing import Annotated
from uuid import UUID

import msgspec

from kernel.contracts.http import Moment, ResponseBody
from kernel.domain.faults import Checked, Fault

TraceId = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
"""As W3C Trace Context writes it."""


class RecordedAct(ResponseBody, frozen=True, omit_defaults=True):
    """`through` is what acted for the operator: a service, or the console. `service` is the one that recorded
    it; a service leaves it out of its own."""

    at: Moment
    did: str
    operator: str
    subject: UUID
    through: str = ""
    user_id: str = ""
    about: str = ""
    note: str = ""
    service: str = ""


class StoredFact(ResponseBody, frozen=True, omit_defaults=True):
    """`source` is the table, or the view of the server, that holds it. `seen`: `at` is when somebody looked,
    as nobody stores since when it is so."""

    at: Moment
    service: str
    what: str
    source: str
    detail: str = ""
    seen: bool = False


class FactsOfOrder(ResponseBody, frozen=True, omit_defaults=True):
    """What one service has stored about an order. `userId` is null where it does not know the order. `unread`
    is what it could not read, each with the reason."""

    user_id: str | None
    facts: list[StoredFact]
    unread: list[str] = msgspec.field(default_factory=list)
    trace_id: TraceId | None = None


def trace_text(trace_id: UUID | None) -> str | None:
    return None if trace_id is None else trace_id.hex


class WaitingEvents(ResponseBody, frozen=True):
    """Events of one type that wait to be published, and since when the oldest does."""

    type: str
    count: int
    since: Moment


class ServiceOverview(ResponseBody, frozen=True, kw_only=True):
    """How a service fares now. `parked` counts messages that wait for an operator, by reason; `held` those
    that somebody looks after already. `broker`: messages can come and go; `paused`: the consumer takes none,
    by an operator; `onTime`: what was committed is published, and what arrives is handled."""

    service: str
    version: str
    schema: int
    schema_needed: int
    waiting: list[WaitingEvents]
    parked: dict[str, int]
    held: int
    broker: bool
    paused: bool
    on_time: bool


class Finding(ResponseBody, frozen=True):
    """What is not as it should be: `kind` is a stable word for programs."""

    check: str
    kind: str
    subject: str
    found: str = msgspec.field(name="is")
    expected: str = msgspec.field(name="shouldBe")


class CheckedRows(ResponseBody, frozen=True):
    check: str
    count: int
    faults: int


class CheckResult(CheckedRows, frozen=True):
    """What a check looked at, how much of it is at fault, and the first 100 findings."""

    findings: list[Finding]


def finding(check: str, fault: Fault) -> Finding:
    return Finding(check, fault.kind, fault.subject, fault.found, fault.expected)


def check_result(checked: Checked) -> CheckResult:
    findings = [finding(checked.check, fault) for fault in checked.faults]
    return CheckResult(checked.check, checked.count, checked.fault_count, findings)


def checked_of(result: CheckResult) -> Checked:
    faults = [Fault(one.subject, one.kind, one.found, one.expected) for one in result.findings]
    return Checked(result.check, result.count, result.faults, faults)
