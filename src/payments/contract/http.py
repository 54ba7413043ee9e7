"""The bodies of the routes of payments."""

from decimal import Decimal
from typing import Literal
from uuid import UUID

from kernel.contracts.http import Moment, RequestBody, ResponseBody
from kernel.contracts.values import Amount, UserId

TransactionKind = Literal["deposit", "capture", "refund"]


class OpenAccount(RequestBody, frozen=True):
    user_id: UserId


class Deposit(RequestBody, frozen=True):
    amount: Amount


class Account(ResponseBody, frozen=True):
    user_id: str
    balance: Decimal
    currency: str
    created_at: Moment


class Deposited(Account, frozen=True):
    """`balance` is the balance right after this deposit."""

    transaction_id: UUID


class Transaction(ResponseBody, frozen=True, kw_only=True, omit_defaults=True):
    """A line of a statement. `amount` is below 0 where it was taken from the account."""

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
