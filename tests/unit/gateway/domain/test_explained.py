"""What an order waits for follows from the facts that both services have stored, and from nothing else."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from gateway.domain.explained import Explained, explained
from kernel.domain.facts import Fact, Part, What
from tests.memory.clock import EPOCH


def second(number: int) -> datetime:
    return EPOCH + timedelta(seconds=number)


def fact(service: str, what: What, detail: str = "", at: int = 0) -> Fact:
    return Fact(at=second(at), service=service, what=what, source="somewhere", detail=detail)


NOW = 8
NEW = fact("orders", What.STATUS, "NEW")
FINISHED = fact("orders", What.STATUS, "FINISHED", 1)
REFUNDING = fact("orders", What.STATUS, "REFUNDING", 2)
CANCEL = fact("orders", What.CANCEL_REQUESTED, at=2)
ASKS = fact("orders", What.ASKS_AGAIN, at=9)
OUT = fact("orders", What.IN_OUTBOX, "shop.order-placed", 0)
REPEATED = fact("orders", What.IN_OUTBOX, "shop.order-placed", NOW - 1)
BACK = fact("payments", What.IN_OUTBOX, "shop.payment-captured", 1)
CAPTURED = fact("payments", What.DECIDED, "captured", 1)
REFUND = fact("payments", What.TRANSFER, "refund 1.00, transfer 3 of alice", 3)
ORDERS_DEAD, PAYMENTS_DEAD = fact("orders", What.NOT_RUNNING), fact("payments", What.NOT_RUNNING)
ORDERS_PARKED = fact("orders", What.PARKED, "why")
ORDERS_PAUSED, PAYMENTS_PAUSED = fact("orders", What.PAUSED), fact("payments", What.PAUSED)
ORDERS_BLOCKED = fact("orders", What.BLOCKED, "by 6", 4)
PAYMENTS_BLOCKED = fact("payments", What.BLOCKED, "by 7", 5)
NAMELESS = fact("payments", What.NAMELESS, "2 sessions")


def of(*facts: Fact, unknown: Mapping[str, str] | None = None, silent: tuple[str, ...] = ()) -> Explained:
    """`silent` services tell nothing at all."""
    parts = {
        service: Part(facts=[fact for fact in facts if fact.service == service], user_id="alice")
        for service in ("orders", "payments")
        if service not in silent
    }
    return explained(parts, dict.fromkeys(silent, "away") if unknown is None else unknown, second(NOW))


def whys(found: Explained) -> list[str]:
    return [wait.why for wait in found.waits]


@pytest.mark.parametrize(
    ("facts", "reasons"),
    [
        ([NEW, OUT], ["not_published"]),
        ([NEW], ["not_decided"]),
        ([NEW, CAPTURED, BACK], ["answer_not_published"]),
        ([NEW, CAPTURED], ["not_settled"]),
        ([NEW, FINISHED, CANCEL, REFUNDING, CAPTURED], ["not_decided"]),
        ([NEW, FINISHED, CANCEL, REFUNDING, CAPTURED, REFUND], ["not_settled"]),
        ([NEW, FINISHED, CAPTURED], []),
        ([NEW, FINISHED, CAPTURED, ORDERS_PAUSED], []),
    ],
)
def test_the_first_thing_that_is_not_done_is_the_reason(facts: list[Fact], reasons: list[str]) -> None:
    assert whys(of(*facts)) == reasons


@pytest.mark.parametrize(
    ("facts", "reasons"),
    [
        ([NEW, OUT, ORDERS_DEAD], ["orders_not_running"]),
        ([NEW, PAYMENTS_DEAD], ["payments_not_running"]),
        ([NEW, PAYMENTS_PAUSED], ["payments_paused"]),
        ([NEW, fact("payments", What.PARKED, "why")], ["payments_parked"]),
        ([NEW, PAYMENTS_BLOCKED], ["payments_blocked"]),
        ([NEW, PAYMENTS_BLOCKED, replace(PAYMENTS_BLOCKED, detail="by 8")], ["payments_blocked"] * 2),
        ([NEW, CAPTURED, BACK, PAYMENTS_DEAD], ["payments_not_running"]),
        ([NEW, CAPTURED, ORDERS_PARKED], ["orders_parked"]),
        ([NEW, CAPTURED, ORDERS_PAUSED], ["orders_paused"]),
        ([NEW, CAPTURED, ORDERS_BLOCKED], ["orders_blocked"]),
        # A hindrance of payments hinders nobody once payments has answered.
        ([NEW, CAPTURED, PAYMENTS_PAUSED], ["not_settled"]),
    ],
)
def test_a_symptom_that_a_cause_explains_is_no_reason_beside_it(
    facts: list[Fact], reasons: list[str]
) -> None:
    assert whys(of(*facts)) == reasons


@pytest.mark.parametrize(
    ("facts", "reasons"),
    [
        ([NEW, OUT, PAYMENTS_BLOCKED], ["payments_blocked", "not_published"]),
        ([NEW, OUT, ORDERS_BLOCKED], ["orders_blocked", "not_published"]),
        ([NEW, PAYMENTS_DEAD, PAYMENTS_PAUSED], ["payments_paused", "payments_not_running"]),
        ([NEW, PAYMENTS_BLOCKED, ORDERS_PAUSED], ["payments_blocked", "orders_paused"]),
        # The order still has to be decided, which orders does not hinder.
        ([NEW, ORDERS_PAUSED], ["orders_paused", "not_decided"]),
    ],
)
def test_no_cause_hides_another_and_what_an_operator_can_mend_comes_first(
    facts: list[Fact], reasons: list[str]
) -> None:
    assert whys(of(*facts)) == reasons


def test_an_event_that_was_just_added_to_the_outbox_is_under_way_and_no_reason() -> None:
    assert whys(of(NEW, REPEATED)) == ["not_decided"]
    assert whys(of(NEW, REPEATED, PAYMENTS_BLOCKED)) == ["payments_blocked"]
    # A replayed message lies there for the service itself.
    assert whys(of(NEW, replace(OUT, detail="replayed"))) == ["not_decided"]
    found = of(NEW, OUT, REPEATED)
    assert [(wait.why, wait.since) for wait in found.waits] == [("not_published", OUT.at)]


def test_the_explanation_says_that_it_is_not_known_whether_a_service_runs() -> None:
    assert whys(of(NEW, NAMELESS)) == ["payments_running_unknown"]
    assert whys(of(NEW, NAMELESS, PAYMENTS_PAUSED)) == ["payments_paused", "payments_running_unknown"]


@pytest.mark.parametrize(
    ("facts", "silent", "reasons"),
    [
        ([NEW, OUT], ("payments",), ["payments_unknown", "not_published"]),
        ([NEW], ("payments",), ["payments_unknown"]),
        ([CAPTURED, BACK], ("orders",), ["orders_unknown", "answer_not_published"]),
        ([CAPTURED], ("orders",), ["orders_unknown"]),
        ([FINISHED], ("payments",), []),
    ],
)
def test_an_unknown_part_is_said_and_not_guessed(
    facts: list[Fact], silent: tuple[str, ...], reasons: list[str]
) -> None:
    assert whys(of(*facts, silent=silent)) == reasons


def test_an_unknown_part_is_said_with_its_cause_beside_what_the_rest_tells() -> None:
    found = of(NEW, PAYMENTS_BLOCKED, unknown={"payments": "accounts: the database is busy"})
    assert whys(found) == ["payments_unknown", "payments_blocked"]
    assert "accounts: the database is busy" in found.waits[0].detail


def test_facts_are_told_in_the_order_of_time() -> None:
    found = of(CAPTURED, ASKS, NEW)
    assert [fact.what for fact in found.facts] == [What.STATUS, What.DECIDED, What.ASKS_AGAIN]
    assert (found.status, found.user_id) == ("NEW", "alice")


@pytest.mark.parametrize("facts", [[], [REPEATED]])
def test_a_wait_ends_when_orders_asks_again(facts: list[Fact]) -> None:
    assert {wait.until for wait in of(NEW, ASKS, *facts).waits} == {ASKS.at}


@pytest.mark.parametrize(
    "facts",
    [
        [replace(ASKS, at=second(NOW))],
        [ASKS, OUT],
        [ASKS, fact("orders", What.BACKLOG, "another", 6)],
        [ASKS, CAPTURED, ORDERS_PARKED],
        [ASKS, ORDERS_DEAD],
        [ASKS, ORDERS_BLOCKED],
        [ASKS, fact("orders", What.NAMELESS)],
    ],
)
def test_an_explanation_says_that_orders_asks_again_only_where_it_will(facts: list[Fact]) -> None:
    found = of(NEW, *facts)
    assert found.waits
    assert {wait.until for wait in found.waits} == {None}
    assert What.ASKS_AGAIN not in [fact.what for fact in found.facts]


@pytest.mark.parametrize("fact", [PAYMENTS_BLOCKED, PAYMENTS_PAUSED, PAYMENTS_DEAD])
def test_a_fault_that_only_people_can_mend_does_not_end_by_asking_again(fact: Fact) -> None:
    assert {wait.until for wait in of(NEW, ASKS, fact).waits} == {None}


def test_since_when_is_said_only_where_it_is_stored() -> None:
    assert [wait.since for wait in of(NEW, replace(PAYMENTS_DEAD, seen=True)).waits] == [None]
    assert [wait.since for wait in of(NEW, PAYMENTS_BLOCKED).waits] == [PAYMENTS_BLOCKED.at]
