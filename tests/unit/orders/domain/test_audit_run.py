"""One run of the audit at a time; what it keeps of what it found."""

from datetime import timedelta
from uuid import UUID

import pytest

from kernel.domain.caller import Caller, Role
from kernel.domain.errors import Conflict
from kernel.domain.faults import SHOWN_MAX, Checked, Fault
from orders.domain.audit_run import LEASE, AuditRun, BeginAudit, RunState, begin
from tests.memory.clock import EPOCH

ADA = Caller(Role.OPERATOR, "ada", "gateway")
FAULT = Fault("order 1", "order_missing", "captured, no order", "an order")
MOMENT = timedelta(microseconds=1)


def command(number: int) -> BeginAudit:
    return BeginAudit(run_id=UUID(int=number), caller=ADA)


def run() -> AuditRun:
    return begin(command(1), None, EPOCH)


def test_the_first_run_says_who_began_it_and_when() -> None:
    first = run()
    assert (first.number, first.operator, first.through, first.began_at) == (1, "ada", "gateway", EPOCH)
    assert first.state_at(EPOCH) is RunState.RUNNING


def test_while_one_runs_no_other_begins() -> None:
    with pytest.raises(Conflict) as refused:
        begin(command(2), run(), EPOCH + LEASE - MOMENT)
    assert refused.value.code == "audit_running"


def test_a_repeated_command_is_told_the_run_that_it_began() -> None:
    first = run()
    assert begin(command(1), first, EPOCH + LEASE) is first


def test_one_that_does_not_renew_its_lease_has_died_and_another_begins() -> None:
    first = run()
    first.renew(EPOCH + timedelta(seconds=5))
    ends = EPOCH + timedelta(seconds=5) + LEASE
    assert first.state_at(ends - MOMENT) is RunState.RUNNING
    assert first.state_at(ends) is RunState.DIED
    assert begin(command(2), first, ends).number == 2


@pytest.mark.parametrize(
    ("faults", "failure", "state"),
    [(0, None, RunState.SOUND), (1, None, RunState.UNSOUND), (1, "payments is away", RunState.FAILED)],
)
def test_a_run_that_ends_says_how(faults: int, failure: str | None, state: RunState) -> None:
    one = run()
    one.add(Checked("orders", 5, faults, [FAULT] * faults))
    one.end(EPOCH, failure)
    assert (one.state_at(EPOCH + LEASE), one.detail, one.ended_at) == (state, failure or "", EPOCH)
    assert begin(command(2), one, EPOCH).number == 2


def test_all_faults_are_counted_and_the_first_of_them_kept() -> None:
    one = run()
    for name in ("accounts", "orders"):
        checked = Checked(name, 500)
        checked.add([FAULT] * (SHOWN_MAX - 1))
        one.add(checked)
    assert one.checked == [("accounts", 500, SHOWN_MAX - 1), ("orders", 500, SHOWN_MAX - 1)]
    assert one.fault_count == 2 * SHOWN_MAX - 2
    assert [name for name, _ in one.faults] == ["accounts"] * (SHOWN_MAX - 1) + ["orders"]


def test_a_check_of_both_services_counts_as_one() -> None:
    one = run()
    for count, faults in ((5, 0), (7, 1)):
        one.add(Checked("outboxes", count, faults, [FAULT] * faults))
    assert one.checked == [("outboxes", 12, 1)]
    assert one.faults == [("outboxes", FAULT)]
