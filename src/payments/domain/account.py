"""An account and its rules: deposits, corrections, charges, refunds, and the freeze by an operator."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Self
from uuid import UUID

from kernel.domain.errors import NotFound, Refused
from kernel.domain.money import BALANCE_MAX_MINOR, in_units
from kernel.domain.value import value
from payments.domain.commands import CorrectAccount, Deposit, FreezeAccount, OpenAccount
from payments.domain.events import OrderPlaced
from payments.domain.transfer import OTHER_SIDE, Kind, Transfer, own_account


class Reason(StrEnum):
    """The reason why an order is not paid. The orders service has the texts for clients."""

    ACCOUNT_NOT_FOUND = "account_not_found"
    CURRENCY_MISMATCH = "currency_mismatch"
    EXPIRED = "expired"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    ACCOUNT_FROZEN = "account_frozen"


class Standing(NamedTuple):
    """The part of an account that decides whether an order could be paid."""

    balance: int
    frozen: bool


def reason_not_to_charge(amount: int, standing: Standing | None) -> Reason | None:
    """The reason why the amount cannot be charged, or None. `standing` is None if there is no account."""
    if standing is None:
        return Reason.ACCOUNT_NOT_FOUND
    if standing.frozen:
        return Reason.ACCOUNT_FROZEN
    return Reason.INSUFFICIENT_FUNDS if amount > standing.balance else None


@dataclass(slots=True, kw_only=True)
class Account:
    """`balance` is in minor units. `sequence` is the number of the last transfer; 0 without transfers."""

    id: UUID
    user_id: str
    balance: int
    sequence: int
    currency: str
    idempotency_key: str | None
    created_at: datetime
    frozen_at: datetime | None = None

    @classmethod
    def open(cls, command: OpenAccount, currency: str, now: datetime) -> Self:
        return cls(
            id=command.account_id,
            user_id=command.user_id,
            balance=0,
            sequence=0,
            currency=currency,
            idempotency_key=command.idempotency_key,
            created_at=now,
        )

    @property
    def is_frozen(self) -> bool:
        return self.frozen_at is not None

    def freeze(self, command: FreezeAccount, now: datetime) -> bool:
        """Freezes or unfreezes the account. False if it was in that state already."""
        if self.is_frozen is command.frozen:
            return False
        self.frozen_at = now if command.frozen else None
        return True

    def deposit(self, command: Deposit, now: datetime) -> Transfer | Refused:
        if self.is_frozen:
            return Refused(Reason.ACCOUNT_FROZEN, "an operator has frozen this account")
        if refusal := self._beyond_limit(command.amount):
            return refusal
        return self._transfer(
            command.transfer_id, Kind.DEPOSIT, command.amount, now, key=command.idempotency_key
        )

    def correct(self, command: CorrectAccount, now: datetime) -> Transfer | Refused:
        """Corrects the balance, of a frozen account too. Refused if it would leave its limits."""
        if self.balance + command.amount < 0:
            return Refused(Reason.INSUFFICIENT_FUNDS, "the balance does not hold this amount")
        if refusal := self._beyond_limit(command.amount):
            return refusal
        return self._transfer(
            command.transfer_id, Kind.CORRECTION, command.amount, now, key=command.idempotency_key
        )

    def charge(self, placed: OrderPlaced, transfer_id: UUID, now: datetime) -> Transfer | Reason:
        if placed.currency != self.currency:
            return Reason.CURRENCY_MISMATCH
        if reason := reason_not_to_charge(placed.amount, Standing(self.balance, self.is_frozen)):
            return reason
        return self._transfer(transfer_id, Kind.CAPTURE, -placed.amount, now, order_id=placed.order_id)

    def refund(self, capture: Transfer, transfer_id: UUID, now: datetime) -> Transfer | Refused:
        """Gives back the whole captured amount. Refused if the balance would exceed its limit."""
        if refusal := self._beyond_limit(capture.amount):
            return refusal
        return self._transfer(transfer_id, Kind.REFUND, capture.amount, now, order_id=capture.order_id)

    def _beyond_limit(self, amount: int) -> Refused | None:
        if self.balance + amount <= BALANCE_MAX_MINOR:
            return None
        return Refused("balance_limit", f"a balance cannot exceed {in_units(BALANCE_MAX_MINOR)}")

    def _transfer(
        self,
        transfer_id: UUID,
        kind: Kind,
        change: int,
        now: datetime,
        *,
        order_id: UUID | None = None,
        key: str | None = None,
    ) -> Transfer:
        own, other = own_account(self.user_id), OTHER_SIDE[kind]
        debit, credit = (other, own) if change > 0 else (own, other)
        self.balance += change
        self.sequence += 1
        return Transfer(
            user_id=self.user_id,
            sequence=self.sequence,
            id=transfer_id,
            kind=kind,
            debit_account=debit,
            credit_account=credit,
            amount=abs(change),
            order_id=order_id,
            idempotency_key=key,
            balance_after=self.balance,
            created_at=now,
        )


@value
class Opened:
    account: Account
    replayed: bool


@value
class Deposited:
    account: Account
    transfer: Transfer
    replayed: bool


def no_account(user_id: str) -> NotFound:
    return NotFound("account_not_found", f"the user {user_id} has no account")
