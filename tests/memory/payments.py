"""Accounts, transfers and decisions in memory."""

from collections.abc import Hashable, Mapping, Sequence, Set
from dataclasses import replace
from functools import partial

from payments.domain.account import Account, Deposit, Kind, Transfer
from payments.domain.events import PaymentRequest
from payments.domain.payment import Payment
from tests.memory.database import MemoryDatabase, Table
from tests.memory.unit_of_work import MemoryUnitOfWork


def _key(user_id: str, value: Hashable, *more: Hashable) -> Hashable | None:
    """Like PostgreSQL, where a row with a NULL among the columns of a unique key meets no other."""
    return None if value is None else (user_id, value, *more)


ACCOUNTS = Table[Account](
    {"user_id": lambda account: account.user_id}, check=lambda account: account.balance >= 0
)
TRANSFERS = Table[Transfer](
    {
        "sequence": lambda transfer: (transfer.user_id, transfer.sequence),
        "id": lambda transfer: (transfer.user_id, transfer.id),
        "order_id": lambda transfer: _key(transfer.user_id, transfer.order_id, transfer.kind),
        "idempotency_key": lambda transfer: _key(transfer.user_id, transfer.idempotency_key),
    },
    check=lambda transfer: (
        transfer.amount > 0
        and transfer.balance_after >= 0
        and transfer.debit_account != transfer.credit_account
    ),
    append_only=True,
)
PAYMENTS = Table[Payment]({"order_id": lambda payment: (payment.user_id, payment.order_id)}, append_only=True)


class MemoryAccounts:
    def __init__(self, uow: MemoryUnitOfWork) -> None:
        self._uow = uow

    async def add(self, accounts: Sequence[Account]) -> Mapping[str, Account]:
        transaction = self._uow.transaction
        user_ids = [account.user_id for account in accounts]
        for account in sorted(accounts, key=lambda account: account.user_id):
            await transaction.try_insert(ACCOUNTS, replace(account))
        found = (transaction.get(ACCOUNTS, user_id) for user_id in user_ids)
        return {account.user_id: replace(account) for account in found if account is not None}

    async def lock(self, user_ids: Set[str]) -> Mapping[str, Account]:
        locked = await self._uow.transaction.lock(ACCOUNTS, sorted(user_ids))
        return {account.user_id: replace(account) for account in locked}

    async def save(self, accounts: Sequence[Account]) -> None:
        for account in accounts:
            await self._uow.transaction.update(ACCOUNTS, account.user_id, partial(_balanced, account))


class MemoryLedger:
    def __init__(self, uow: MemoryUnitOfWork) -> None:
        self._uow = uow

    async def deposits(self, commands: Sequence[Deposit]) -> Sequence[Transfer]:
        found = {}
        for command in commands:
            for by, key in (
                ("id", _key(command.user_id, command.transfer_id)),
                ("idempotency_key", _key(command.user_id, command.idempotency_key)),
            ):
                transfer = self._uow.transaction.get(TRANSFERS, key, by=by)
                if transfer is not None:
                    found[transfer.id] = transfer
        return list(found.values())

    async def of_orders(self, payments: Sequence[Payment]) -> Sequence[Transfer]:
        keys = dict.fromkeys(
            _key(payment.user_id, payment.order_id, kind)
            for payment in payments
            for kind in (Kind.CAPTURE, Kind.REFUND)
        )
        found = (self._uow.transaction.get(TRANSFERS, key, by="order_id") for key in keys)
        return [transfer for transfer in found if transfer is not None]

    async def add(self, transfers: Sequence[Transfer]) -> None:
        for transfer in sorted(transfers, key=lambda transfer: (transfer.user_id, transfer.sequence)):
            await self._uow.transaction.insert(TRANSFERS, transfer)


class MemoryPayments:
    def __init__(self, uow: MemoryUnitOfWork) -> None:
        self._uow = uow

    async def recorded(self, requests: Sequence[PaymentRequest]) -> Sequence[Payment]:
        keys = dict.fromkeys((request.user_id, request.order_id) for request in requests)
        found = (self._uow.transaction.get(PAYMENTS, key) for key in keys)
        return [payment for payment in found if payment is not None]

    async def add(self, payments: Sequence[Payment]) -> None:
        for payment in sorted(payments, key=lambda payment: (payment.user_id, payment.order_id)):
            await self._uow.transaction.insert(PAYMENTS, payment)


class MemoryOpenedAccounts:
    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def find(self, user_ids: Set[str]) -> Mapping[str, Account]:
        found = (self._database.get(ACCOUNTS, user_id) for user_id in sorted(user_ids))
        return {account.user_id: replace(account) for account in found if account is not None}

    async def balances(self, user_ids: Set[str]) -> Mapping[str, int]:
        return {user_id: account.balance for user_id, account in (await self.find(user_ids)).items()}


class MemoryStatements:
    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def page(self, user_id: str, *, after: int | None, limit: int) -> Sequence[Transfer]:
        rows = [
            transfer
            for transfer in self._database.rows(TRANSFERS)
            if transfer.user_id == user_id and (after is None or transfer.sequence < after)
        ]
        return sorted(rows, key=lambda transfer: -transfer.sequence)[:limit]


def _balanced(new: Account, row: Account) -> Account:
    return replace(row, balance=new.balance, sequence=new.sequence)
