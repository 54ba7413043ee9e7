"""What an order waits for follows from the facts that both services have stored, and from nothing else."""

from datetime import timedelta

import pytest

from gateway.domain.explained import Explained, explained
from kernel.domain.facts import Fact, Part, What
from tests.memory.clock import EPOCH


def fact(service: str, what: What, detail: str = "", second: int = 0) -> Fact:
    at = EPOCH + timedelta(seconds=second)
    return Fact(at=at, service=service, what=what, source="somewhere", detail=detail)


NEW = fact("orders", What.STATUS, "NEW")
FINISHED = fact("orders", What.STATUS, "FINISHED", 1)
REFUNDING = fact("orders", What.STATUS, "REFUNDING", 2)
CANCEL = fact("orders", What.CANCEL_REQUESTED, second=2)
ASKS = fact("orders", What.ASKS_AGAIN, second=9)
OUT = fact("orders", What.IN_OUTBOX, "order-placed", 0)
BACK = fact("payments", What.IN_OUTBOX, "payment-captured", 1)
CAPTURED = fact("payments", What.DECIDED, "captured", 1)
REFUND = fact("payments", What.TRANSFER, "refund 1.00, transfer 3 of alice", 3)


def of(*facts: Fact, unknown: tuple[str, ...] = ()) -> Explained:
    parts = {
        service: Part(facts=[fact for fact in facts if fact.service == service], user_id="alice")
        for service in ("orders", "payments")
        if service not in unknown
    }
    return explained(parts, unknown)


@pytest.mark.parametrize(
    ("facts", "reasons"),
    [
        ([NEW, OUT], ["not_published"]),
        ([NEW, OUT, fact("orders", What.NOT_RUNNING)], ["orders_not_running", "not_published"]),
        ([NEW], ["not_decided"]),
        ([NEW, fact("payments", What.NOT_RUNNING)], ["payments_not_running", "not_decided"]),
        ([NEW, fact("payments", What.PAUSED)], ["payments_paused", "not_decided"]),
        ([NEW, fact("payments", What.PARKED, "why")], ["payments_parked", "not_decided"]),
        ([NEW, fact("payments", What.BLOCKED, "by 7")], ["payments_blocked", "not_decided"]),
        ([NEW, CAPTURED, BACK], ["answer_not_published"]),
        ([NEW, CAPTURED], ["not_settled"]),
        ([NEW, CAPTURED, fact("orders", What.PARKED, "why")], ["orders_parked", "not_settled"]),
        ([NEW, CAPTURED, fact("orders", What.PAUSED)], ["orders_paused", "not_settled"]),
        # What hinders payments hinders nobody once payments has answered.
        ([NEW, CAPTURED, fact("payments", What.PAUSED)], ["not_settled"]),
        ([NEW, FINISHED, CANCEL, REFUNDING, CAPTURED], ["not_decided"]),
        ([NEW, FINISHED, CANCEL, REFUNDING, CAPTURED, REFUND], ["not_settled"]),
        ([NEW, FINISHED, CAPTURED], []),
        ([NEW, FINISHED, CAPTURED, fact("orders", What.PAUSED)], []),
    ],
)
def test_the_first_thing_in_the_way_is_the_reason(facts: list[Fact], reasons: list[str]) -> None:
    assert [wait.why for wait in of(*facts).waits] == reasons


@pytest.mark.parametrize(
    ("facts", "unknown", "reasons"),
    [
        ([NEW, OUT], ("payments",), ["payments_unknown", "not_published"]),
        ([NEW], ("payments",), ["payments_unknown"]),
        ([CAPTURED, BACK], ("orders",), ["orders_unknown", "answer_not_published"]),
        ([CAPTURED], ("orders",), ["orders_unknown"]),
        ([FINISHED], ("payments",), []),
    ],
)
def test_what_is_not_known_is_said_and_not_guessed(
    facts: list[Fact], unknown: tuple[str, ...], reasons: list[str]
) -> None:
    assert [wait.why for wait in of(*facts, unknown=unknown).waits] == reasons


def test_facts_are_told_in_the_order_of_time_and_a_wait_ends_when_orders_asks_again() -> None:
    found = of(CAPTURED, ASKS, NEW)
    assert [fact.what for fact in found.facts] == [What.STATUS, What.DECIDED, What.ASKS_AGAIN]
    assert (found.status, found.user_id) == ("NEW", "alice")
    assert [wait.until for wait in found.waits] == [ASKS.at]
