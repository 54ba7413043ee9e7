"""Accounts: every change of a balance is a numbered transfer between two accounts."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.domain.errors import Refused
from kernel.domain.money import BALANCE_MAX_MINOR
from payments.domain.account import (
    FUNDING,
    REVENUE,
    Account,
    Decision,
    Deposit,
    Kind,
    OpenAccount,
    OrderPlaced,
    Payment,
    PaymentCaptured,
    PaymentDeclined,
    Transfer,
    decide,
)
from tests.unit.clock import START, id_of

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
LATER = START + timedelta(seconds=1)


def opened(*deposits: int, currency: str = "RUB") -> Account:
    command = OpenAccount(account_id=id_of(1), user_id="alice", idempotency_key="open")
    account = Account.open(command, currency, START)
    for amount in deposits:
        account.deposit(deposit_of(amount), START)
    return account


def deposit_of(amount: int, *, number: int = 100, key: str | None = None) -> Deposit:
    return Deposit(transfer_id=id_of(number), user_id="alice", amount=amount, idempotency_key=key)


def order_of(amount: int, *, number: int = 200, currency: str = "RUB") -> OrderPlaced:
    return OrderPlaced(
        order_id=id_of(number), user_id="alice", traceparent=TRACE, amount=amount, currency=currency
    )


def test_an_account_opens_empty_and_in_the_currency_of_the_shop() -> None:
    account = opened(currency="EUR")
    assert (account.user_id, account.balance, account.sequence, account.currency) == ("alice", 0, 0, "EUR")
    assert (account.id, account.idempotency_key, account.created_at) == (id_of(1), "open", START)


def test_a_deposit_moves_money_from_funding_to_the_user() -> None:
    account = opened()
    assert account.deposit(deposit_of(1000, key="d"), LATER) == Transfer(
        user_id="alice",
        sequence=1,
        id=id_of(100),
        kind=Kind.DEPOSIT,
        debit_account=FUNDING,
        credit_account="user:alice",
        amount=1000,
        order_id=None,
        idempotency_key="d",
        balance_after=1000,
        created_at=LATER,
    )
    assert (account.balance, account.sequence) == (1000, 1)


def test_a_payment_moves_money_from_the_user_to_revenue() -> None:
    account = opened(1000)
    assert account.charge(order_of(300), id_of(7), LATER) == Transfer(
        user_id="alice",
        sequence=2,
        id=id_of(7),
        kind=Kind.CAPTURE,
        debit_account="user:alice",
        credit_account=REVENUE,
        amount=300,
        order_id=id_of(200),
        idempotency_key=None,
        balance_after=700,
        created_at=LATER,
    )
    assert (account.balance, account.sequence) == (700, 2)


def test_a_balance_may_be_spent_to_the_last_minor_unit_and_no_further() -> None:
    account = opened(1000)
    assert isinstance(account.charge(order_of(1000), id_of(7), LATER), Transfer)
    refused = account.charge(order_of(1), id_of(8), LATER)
    assert isinstance(refused, Refused)
    assert refused.code == "insufficient_funds"
    assert (account.balance, account.sequence) == (0, 2)


def test_an_order_in_another_currency_is_refused_however_much_there_is() -> None:
    account = opened(1000)
    refused = account.charge(order_of(1, currency="EUR"), id_of(7), LATER)
    assert isinstance(refused, Refused)
    assert refused.code == "currency_mismatch"
    assert (account.balance, account.sequence) == (1000, 1)


def test_a_deposit_above_the_limit_is_refused_and_leaves_the_account_as_it_was() -> None:
    account = opened(1000)
    before = replace(account)
    refusal = account.deposit(deposit_of(BALANCE_MAX_MINOR - 999), LATER)
    assert isinstance(refusal, Refused)
    assert refusal.code == "balance_limit"
    assert account == before
    transfer = account.deposit(deposit_of(BALANCE_MAX_MINOR - 1000), LATER)
    assert isinstance(transfer, Transfer)
    assert transfer.balance_after == BALANCE_MAX_MINOR


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 10_000))))
def test_whatever_comes_a_balance_is_the_sum_of_its_transfers_and_never_negative(
    commands: list[tuple[bool, int]],
) -> None:
    account = opened()
    transfers = []
    for number, (is_deposit, amount) in enumerate(commands):
        if is_deposit:
            transfers.append(account.deposit(deposit_of(amount, number=number), START))
        else:
            charged = account.charge(order_of(amount, number=number), id_of(number), START)
            transfers += [charged] if isinstance(charged, Transfer) else []
    own = "user:alice"
    running = 0
    for number, transfer in enumerate(transfers, 1):
        running += transfer.amount if transfer.credit_account == own else -transfer.amount
        assert (transfer.sequence, transfer.balance_after) == (number, running)
        assert running >= 0
        assert {own} < {transfer.debit_account, transfer.credit_account}
    assert (account.balance, account.sequence) == (running, len(transfers))


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


def test_what_was_captured_is_answered_with_its_transfer_whoever_asks() -> None:
    payment, _ = decide(order_of(1000), opened(1000), id_of(7), LATER)
    assert payment.decided("another trace") == PaymentCaptured(
        order_id=id_of(200), user_id="alice", traceparent="another trace", transfer_id=id_of(7)
    )


def test_what_was_declined_is_answered_with_its_reason_whoever_asks() -> None:
    payment, _ = decide(order_of(1000), None, id_of(7), LATER)
    assert payment.decided("another trace") == PaymentDeclined(
        order_id=id_of(200), user_id="alice", traceparent="another trace", reason="account_not_found"
    )


def test_a_transfer_changes_the_balance_by_what_it_adds_or_takes() -> None:
    account = opened()
    deposit = account.deposit(deposit_of(1000), START)
    _, capture = decide(order_of(300), account, id_of(300), START)
    assert isinstance(deposit, Transfer)
    assert capture is not None
    assert (deposit.change, capture.change) == (1000, -300)
