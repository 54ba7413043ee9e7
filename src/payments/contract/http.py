"""The bodies of the routes of payments."""

from decimal import Decimal
from typing import Literal
from uuid import UUID

from kernel.contracts.http import Moment, Note, RequestBody, ResponseBody
from kernel.contracts.values import Amount, SignedAmount, UserId

TransactionKind = Literal["deposit", "capture", "refund", "correction"]


class OpenAccount(RequestBody, frozen=True):
    user_id: UserId


class Deposit(RequestBody, frozen=True):
    amount: Amount


class Correction(RequestBody, frozen=True):
    amount: SignedAmount
    note: Note


class Account(ResponseBody, frozen=True, omit_defaults=True):
    """`frozen`: an operator has frozen the account, so it pays no order and takes no deposit."""

    user_id: str
    balance: Decimal
    currency: str
    created_at: Moment
    frozen: bool = False


class Deposited(ResponseBody, frozen=True):
    """`balance` is the balance right after this deposit or correction."""

    user_id: str
    balance: Decimal
    currency: str
    created_at: Moment
    transaction_id: UUID


class Transaction(ResponseBody, frozen=True, kw_only=True, omit_defaults=True):
    """A line of a statement. `amount` is negative if the money left the account."""

    id: UUID
    sequence: int
    kind: TransactionKind
    amount: Decimal
    balance_after: Decimal
    order_id: UUID | None = None
    created_at: Moment


class AdmissionRequest(RequestBody, frozen=True):
    user_id: UserId
    amount: Amount


class OrderKey(RequestBody, frozen=True):
    user_id: UserId
    order_id: UUID


class Claim(ResponseBody, frozen=True):
    """`claim` is the decision about an order as a text. If both services agree, their claims are equal."""

    user_id: str
    order_id: UUID
    claim: str


class KnownPayment(ResponseBody, frozen=True, kw_only=True, omit_defaults=True):
    """The stored decision and transfers of an order. For an unknown order they are missing. `waiting`: a
    message about the order is in the outbox or parked. `amount` is in hundredths."""

    user_id: str
    order_id: UUID
    known: bool
    waiting: bool
    decision: str | None = None
    reason: str | None = None
    created_at: Moment | None = None
    amount: int | None = None
    currency: str | None = None
    refunded_at: Moment | None = None
