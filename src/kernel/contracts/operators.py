"""JSON bodies with which services answer operators. The gateway joins the bodies of all services."""

from typing import Annotated
from uuid import UUID

import msgspec

from kernel.contracts.http import Moment, ResponseBody
from kernel.domain.faults import Checked, Fault

TraceId = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
"""A trace id as W3C Trace Context writes it."""


class RecordedAct(ResponseBody, frozen=True, omit_defaults=True):
    """`through` is the service or the console that acted for the operator. `service` is the service that
    recorded the act; only the gateway tells it."""

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
    """`source` is the table or system view that the fact was read from. With `seen`, `at` is the time of
    reading, because nothing stores since when the fact holds."""

    at: Moment
    service: str
    what: str
    source: str
    detail: str = ""
    seen: bool = False


class FactsOfOrder(ResponseBody, frozen=True, omit_defaults=True):
    """What one service has stored about an order. `userId` is null if the service does not know the order.
    `unread` names the tables that could not be read, each with the reason."""

    user_id: str | None
    facts: list[StoredFact]
    unread: list[str] = msgspec.field(default_factory=list)
    trace_id: TraceId | None = None


def trace_text(trace_id: UUID | None) -> str | None:
    return None if trace_id is None else trace_id.hex


class WaitingEvents(ResponseBody, frozen=True):
    """Events of one type that wait to be published; the oldest waits since `since`."""

    type: str
    count: int
    since: Moment


class SetAsideEvents(ResponseBody, frozen=True):
    """Events for a lane whose server is away. They wait in another lane, the oldest since `since`."""

    lane: int
    count: int
    since: Moment


class ServiceOverview(ResponseBody, frozen=True, kw_only=True):
    """The present state of a service. `parked` counts parked messages by reason, without those of held
    groups, which `held` counts. `broker`: messages can be sent and received; `paused`: an operator paused the
    consumer; `onTime`: committed events are published, and received messages handled, without delay."""

    service: str
    version: str
    schema: int
    schema_needed: int
    waiting: list[WaitingEvents]
    set_aside: list[SetAsideEvents] = msgspec.field(default_factory=list)
    parked: dict[str, int]
    held: int
    broker: bool
    paused: bool
    on_time: bool


class Finding(ResponseBody, frozen=True):
    """A fault. `kind` is a stable word for programs."""

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
    """How many rows a check looked at, how many faults it found, and the first 100 of them."""

    findings: list[Finding]


def finding(check: str, fault: Fault) -> Finding:
    return Finding(check, fault.kind, fault.subject, fault.found, fault.expected)


def check_result(checked: Checked) -> CheckResult:
    findings = [finding(checked.check, fault) for fault in checked.faults]
    return CheckResult(checked.check, checked.count, checked.fault_count, findings)


def checked_of(result: CheckResult) -> Checked:
    faults = [Fault(one.subject, one.kind, one.found, one.expected) for one in result.findings]
    return Checked(result.check, result.count, result.faults, faults)
