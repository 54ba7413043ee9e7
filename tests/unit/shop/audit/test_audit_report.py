"""What people read of an audit: a line a promise, then a line a fault."""

import io

from kernel.domain.faults import Checked, Fault
from shop.audit.auditing import checks_of, promises_of
from shop.audit.findings import Findings, Waiting
from shop.audit.report import show
from shop.console import new_console
from shop.services import load_shop


def fault(number: int) -> Fault:
    return Fault(f"order {number} of [alice]", "order_forgotten", "NEW", "settled")


NOTHING = Waiting(0, 0, 0, [])
PROMISES = promises_of(checks_of(load_shop({})))
CHECKS = {"accounts", "transfers", "money", "decisions", "histories", "orders", "outboxes"}


def shown(*faults: Fault, waiting: Waiting = NOTHING, parked: int = 0) -> str:
    findings = Findings({check: Checked(check, 7) for check in PROMISES}, [waiting], parked)
    findings.checked["orders"].add(faults)
    text = io.StringIO()
    show(findings.report(), PROMISES, new_console(text, width=120))
    return text.getvalue()


def test_sound_books_are_told_as_such_with_every_promise() -> None:
    text = shown()
    assert "Everything is as it should be." in text
    assert PROMISES.keys() == CHECKS
    assert all(promise in text for promise in PROMISES.values())
    assert "operator" not in text


def test_a_fault_is_a_line_with_its_culprit_as_it_is_written() -> None:
    text = shown(fault(1))
    assert "order_forgotten order 1 of [alice]: NEW; should be: settled\n" in text
    assert "Faults: 1." in text
    assert "Everything" not in text


def test_of_many_faults_some_are_shown_and_all_are_counted() -> None:
    text = shown(*map(fault, range(102)))
    assert text.count("order_forgotten") == 100
    assert "Faults: 102, 2 of them not shown." in text


def test_parked_messages_are_no_fault_but_are_told() -> None:
    text = shown(parked=3)
    assert "Parked messages that wait for an operator: 3" in text
    assert "Everything is as it should be." in text


def test_orders_that_wait_are_counted_by_what_they_wait_for() -> None:
    text = shown(waiting=Waiting(new=3, refunding=1, outbox=4, not_running=[]))
    assert "Orders that wait for payments to decide (NEW): 3" in text
    assert "Orders that wait for their money to be given back (REFUNDING): 1" in text
    assert "Rows that wait in an outbox to be published: 4" in text
    assert "They wait for the shop" not in text
    assert "Everything is as it should be." in text


def test_without_a_running_shop_they_wait_for_it() -> None:
    text = shown(waiting=Waiting(new=1, refunding=0, outbox=1, not_running=["orders", "payments"]))
    assert "They wait for the shop: orders and payments are not running." in text
    assert "They wait" not in shown(waiting=Waiting(0, 0, 0, ["orders", "payments"]))


def test_what_is_set_aside_for_a_lane_waits_for_its_server() -> None:
    text = shown(waiting=Waiting(new=3, refunding=0, outbox=0, not_running=[], set_aside=2))
    assert "Rows that wait in an outbox for a lane whose server was away: 2" in text
    assert "Everything is as it should be." in text
