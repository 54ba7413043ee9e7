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
        """The account that each of these users has now, by user: the given one, or an older one."""
        ...

    async def lock(self, user_ids: Set[str]) -> Mapping[str, Account]:
        """The accounts, by user; nobody else can change them until the end of this transaction."""
        ...

    async def save(self, accounts: Sequence[Account]) -> None:
        """Their balances and sequences."""
        ...

    async def save_frozen(self, account: Account) -> None:
        """Whether it is frozen, and since when."""
        ...


class Ledger(Protocol):
    """All transfers; append-only."""

    async def booked(self, commands: Sequence[Deposit | CorrectAccount]) -> Sequence[Transfer]:
        """The transfers that bear the id or the idempotency key of one of the commands."""
        ...

    async def of_orders(self, payments: Sequence[Payment]) -> Sequence[Transfer]:
        """The captures and refunds of the orders of these payments. Read it after the accounts are locked,
        not before."""
        ...

    async def add(self, transfers: Sequence[Transfer]) -> None: ...


class Payments(Protocol):
    """All decisions; append-only."""

    async def recorded(self, requests: Sequence[PaymentRequest]) -> Sequence[Payment]:
        """What was decided about these orders. Read it after the accounts are locked, not before."""
        ...

    async def add(self, payments: Sequence[Payment]) -> None: ...


class Decisions(Protocol):
    """Reads beside the model, of what is committed now."""

    async def about(
        self, order_id: UUID, *, user_id: str | None
    ) -> tuple[Payment | None, Sequence[Transfer]]:
        """What was decided about the order, and its transfers in their order. Without the user of the order,
        this looks through all decisions."""
        ...


class OpenedAccounts(Protocol):
    """Reads beside the model, of what is committed now."""

    async def find(self, user_ids: Set[str]) -> Mapping[str, Account]: ...

    async def standings(self, user_ids: Set[str]) -> Mapping[str, Standing]:
        """By user; users without an account are left out."""
        ...


class Statements(Protocol):
    """Reads beside the model, of what is committed now."""

    async def page(self, user_id: str, *, after: int | None, limit: int) -> Sequence[Transfer]:
        """The user's transfers, newest first, those that come after the one with the given sequence."""
        ...

    async def balance(self, account: Account, at: datetime) -> int:
        """In minor units, after the account's last transfer until then; 0 before the first one."""
        ...
