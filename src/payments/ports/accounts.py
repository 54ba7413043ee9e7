from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from typing import Protocol
from uuid import UUID

from payments.domain.account import Account, Standing
from payments.domain.commands import CorrectAccount, Deposit
from payments.domain.events import PaymentRequest
from payments.domain.payment import Payment
from payments.domain.transfer import Transfer


class Accounts(Protocol):
    """The collection of all accounts, inside a transaction."""

    async def add(self, accounts: Sequence[Account]) -> Mapping[str, Account]:
        """Adds the accounts of users who have none. Returns the stored accounts of all the users, by user."""
        ...

    async def lock(self, user_ids: Set[str]) -> Mapping[str, Account]:
        """Locks the accounts until the transaction ends. Returns them by user; unknown users are left out."""
        ...

    async def save(self, accounts: Sequence[Account]) -> None:
        """Stores balance and sequence."""
        ...

    async def save_frozen(self, account: Account) -> None:
        """Stores `frozen_at`."""
        ...


class Ledger(Protocol):
    """All transfers. Transfers are only ever added."""

    async def booked(self, commands: Sequence[Deposit | CorrectAccount]) -> Sequence[Transfer]:
        """The recorded transfers that have the id or the idempotency key of one of the commands."""
        ...

    async def of_orders(self, payments: Sequence[Payment]) -> Sequence[Transfer]:
        """The captures and refunds of these payments' orders. Call it after the accounts are locked."""
        ...

    async def add(self, transfers: Sequence[Transfer]) -> None: ...


class Payments(Protocol):
    """All decisions, at most one for each order. Decisions are only ever added."""

    async def recorded(self, requests: Sequence[PaymentRequest]) -> Sequence[Payment]:
        """The decisions about the requested orders, for any user. Call it after the accounts are locked."""
        ...

    async def add(self, payments: Sequence[Payment]) -> None: ...


class Decisions(Protocol):
    """Reads committed decisions, outside of a transaction."""

    async def about(self, order_id: UUID) -> tuple[Payment | None, Sequence[Transfer]]:
        """The decision about the order, and its transfers by sequence."""
        ...


class OpenedAccounts(Protocol):
    """Reads committed accounts, outside of a transaction."""

    async def find(self, user_ids: Set[str]) -> Mapping[str, Account]: ...

    async def standings(self, user_ids: Set[str]) -> Mapping[str, Standing]:
        """The standing of each user's account, by user. Users without an account are left out."""
        ...


class Statements(Protocol):
    """Reads committed transfers, outside of a transaction."""

    async def page(self, user_id: str, *, after: int | None, limit: int) -> Sequence[Transfer]:
        """The user's transfers, newest first. With `after`, only transfers with a lower sequence."""
        ...

    async def balance(self, account: Account, at: datetime) -> int:
        """The balance at the time `at`, in minor units; 0 before the account's first transfer."""
        ...
