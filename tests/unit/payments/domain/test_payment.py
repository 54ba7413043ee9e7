"""The decision about an order: made once, by whichever request comes first, and answered for ever."""

from datetime import timedelta, timezone
from typing import Any

import pytest

from payments.domain.account import Account
from payments.domain.events import (
    CancellationRequested,
    OrderPlaced,
    PaymentCaptured,
    PaymentDeclined,
    PaymentRefunded,
    PaymentVoided,
)
from payments.domain.payment import Decision, Payment, decide
from tests.unit.clock import id_of
from tests.unit.payments.domain.test_account import LATER, TRACE, opened, order_of

MICROSECOND = timedelta(microseconds=1)
CANCELLATION = CancellationRequested(order_id=id_of(200), user_id="alice", traceparent=TRACE)


def test_an_order_that_can_be_paid_is_captured() -> None:
    account = opened(1000)
    payment, transfer = decide(order_of(1000), account, id_of(7), LATER)
    assert transfer is not None
    assert (transfer.id, transfer.amount) == (id_of(7), 1000)
    assert payment == Payment(
        user_id="alice",
        order_id=id_of(200),
        decision=Decision.CAPTURED,
        reason=None,
        transfer_id=id_of(7),
        created_at=LATER,
    )


@pytest.mark.parametrize(
    ("account", "order", "reason"),
    [
        (None, order_of(1), "account_not_found"),
        (opened(), order_of(1), "insufficient_funds"),
        (opened(1000), order_of(1001), "insufficient_funds"),
        (opened(1000), order_of(1, currency="EUR"), "currency_mismatch"),
    ],
)
def test_an_order_that_cannot_be_paid_is_declined_with_the_reason_and_moves_nothing(
    account: Account | None, order: OrderPlaced, reason: str
) -> None:
    payment, transfer = decide(order, account, id_of(7), LATER)
    assert transfer is None
    assert (payment.decision, payment.reason, payment.transfer_id) == (Decision.DECLINED, reason, None)


@pytest.mark.parametrize("account", [None, opened(), opened(1000)], ids=["no account", "empty", "rich"])
def test_an_order_that_is_met_after_its_time_is_declined_as_expired_and_moves_nothing(
    account: Account | None,
) -> None:
    payment, transfer = decide(order_of(1000, pay_by=LATER - MICROSECOND), account, id_of(7), LATER)
    assert transfer is None
    assert (payment.decision, payment.reason, payment.transfer_id) == (Decision.DECLINED, "expired", None)


def test_an_order_that_is_met_in_time_is_captured() -> None:
    for pay_by in (LATER, LATER.astimezone(timezone(timedelta(hours=-5)))):
        payment, _ = decide(order_of(1000, pay_by=pay_by), opened(1000), id_of(7), LATER)
        assert payment.decision is Decision.CAPTURED


# The trace of another call than the one that was decided.
NAMED: dict[str, Any] = {"traceparent": "another trace", "request_id": "call-2", "idempotency_key": "k"}
ANOTHER = CancellationRequested(order_id=id_of(200), user_id="alice", **NAMED)


@pytest.mark.parametrize(
    ("account", "refunded", "kind", "told"),
    [
        (opened(1000), False, PaymentCaptured, {"transfer_id": id_of(7)}),
        (None, False, PaymentDeclined, {"reason": "account_not_found"}),
        (opened(1000), True, PaymentRefunded, {}),
    ],
    ids=["captured", "declined", "given back"],
)
def test_a_payment_is_answered_as_it_was_decided_whoever_asks(
    account: Account | None, refunded: bool, kind: type, told: dict[str, Any]
) -> None:
    payment, _ = decide(order_of(1000), account, id_of(7), LATER)
    answer = payment.decided(ANOTHER, refunded=refunded)
    assert answer == kind(order_id=id_of(200), user_id="alice", **NAMED, **told)


@pytest.mark.parametrize("account", [None, opened(), opened(1000)], ids=["no account", "empty", "rich"])
def test_an_order_whose_cancellation_comes_first_is_voided_and_moves_nothing(account: Account | None) -> None:
    payment, transfer = decide(CANCELLATION, account, id_of(7), LATER)
    assert transfer is None
    assert payment == Payment(
        user_id="alice",
        order_id=id_of(200),
        decision=Decision.VOIDED,
        reason=None,
        transfer_id=None,
        created_at=LATER,
    )
    assert payment.decided(ANOTHER, refunded=False) == PaymentVoided(
        order_id=id_of(200), user_id="alice", **NAMED
    )
