"""Accounts: every change of a balance is a numbered transfer between two accounts."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from kernel.domain.caller import ANYONE
from payments.domain.account import Account
from payments.domain.commands import Deposit, OpenAccount
from payments.domain.events import OrderPlaced
from payments.domain.transfer import FUNDING, REVENUE, Kind, Transfer
from tests.builders import TRACE
from tests.unit.clock import START, id_of

LATER = START + timedelta(seconds=1)


def opened(*deposits: int, currency: str = "RUB") -> Account:
    command = OpenAccount(account_id=id_of(1), caller=ANYONE, user_id="alice", idempotency_key="open")
    account = Account.open(command, currency, START)
    for amount in deposits:
        account.deposit(deposit_of(amount), START)
    return account


def deposit_of(amount: int, *, number: int = 100, key: str | None = None) -> Deposit:
    return Deposit(
        transfer_id=id_of(number), caller=ANYONE, user_id="alice", amount=amount, idempotency_key=key
    )


def order_of(
    amount: int, *, number: int = 200, currency: str = "RUB", pay_by: datetime | None = None
) -> OrderPlaced:
    return OrderPlaced(
        order_id=id_of(number),
        user_id="alice",
        traceparent=TRACE,
        amount=amount,
        currency=currency,
        pay_by=pay_by,
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


def test_a_refund_moves_all_that_was_paid_from_revenue_back_to_the_user() -> None:
    account = opened(1000)
    capture = account.charge(order_of(300), id_of(7), START)
    assert isinstance(capture, Transfer)
    assert account.refund(capture, id_of(8), LATER) == Transfer(
        user_id="alice",
        sequence=3,
        id=id_of(8),
        kind=Kind.REFUND,
        debit_account=REVENUE,
        credit_account="user:alice",
        amount=300,
        order_id=id_of(200),
        idempotency_key=None,
        balance_after=1000,
        created_at=LATER,
    )
    assert (account.balance, account.sequence) == (1000, 3)


@given(st.lists(st.tuples(st.sampled_from(Kind), st.integers(1, 10_000))))
def test_a_balance_is_always_the_sum_of_its_transfers_and_never_negative(
    commands: list[tuple[Kind, int]],
) -> None:
    account = opened()
    transfers: list[Transfer] = []
    captures: list[Transfer] = []
    for number, (kind, amount) in enumerate(commands):
        match kind:
            case Kind.DEPOSIT:
                done = account.deposit(deposit_of(amount, number=number), START)
            case Kind.REFUND if captures:
                done = account.refund(captures.pop(), id_of(number), START)
            case _:
                done = account.charge(order_of(amount, number=number), id_of(number), START)
        if isinstance(done, Transfer):
            transfers.append(done)
            captures += [done] if done.kind is Kind.CAPTURE else []
    own = "user:alice"
    running = 0
    for number, transfer in enumerate(transfers, 1):
        assert transfer.change == (transfer.amount if transfer.credit_account == own else -transfer.amount)
        running += transfer.change
        assert (transfer.sequence, transfer.balance_after) == (number, running)
        assert running >= 0
        assert {own} < {transfer.debit_account, transfer.credit_account}
    assert (account.balance, account.sequence) == (running, len(transfers))
