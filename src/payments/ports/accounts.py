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
        """Adds the accounts of users who have none. Returns by user the account that each has now."""
        ...

    async def lock(self, user_ids: Set[str]) -> Mapping[str, Account]:
        """Locks the accounts until the end of the transaction, and returns them by user."""
        ...

    async def save(self, accounts: Sequence[Account]) -> None:
        """Stores balance and sequence."""
        ...

    async def save_frozen(self, account: Account) -> None:
        """Stores `frozen_at`."""
        ...


class Ledger(Protocol):
    """All transfers; append-only."""

    async def booked(self, commands: Sequence[Deposit | CorrectAccount]) -> Sequence[Transfer]:
        """The transfers with the id or the idempotency key of a command."""
        ...

    async def of_orders(self, payments: Sequence[Payment]) -> Sequence[Transfer]:
        """The captures and refunds of these payments' orders. Call it after the accounts are locked."""
        ...

    async def add(self, transfers: Sequence[Transfer]) -> None: ...


class Payments(Protocol):
    """All decisions, one an order; append-only."""

    async def recorded(self, requests: Sequence[PaymentRequest]) -> Sequence[Payment]:
        """The decisions about these orders, whichever user they name. Call it after the accounts are
        locked."""
        ...

    async def add(self, payments: Sequence[Payment]) -> None: ...


class Decisions(Protocol):
    """Reads of committed decisions, outside of a transaction."""

    async def about(self, order_id: UUID) -> tuple[Payment | None, Sequence[Transfer]]:
        """The decision about the order, and its transfers by sequence."""
        ...


class OpenedAccounts(Protocol):
    """Reads of committed accounts, outside of a transaction."""

    async def find(self, user_ids: Set[str]) -> Mapping[str, Account]: ...

    async def standings(self, user_ids: Set[str]) -> Mapping[str, Standing]:
        """By user; users without an account are left out."""
        ...


class Statements(Protocol):
    """Reads of committed transfers, outside of a transaction."""

    async def page(self, user_id: str, *, after: int | None, limit: int) -> Sequence[Transfer]:
        """The user's transfers, newest first; with `after`, those with a lower sequence."""
        ...

    async def balance(self, account: Account, at: datetime) -> int:
        """In minor units, after the account's last transfer up to `at`; 0 before its first transfer."""
        ...
