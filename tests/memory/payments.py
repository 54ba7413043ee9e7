"""Accounts, transfers and decisions in memory."""

from collections.abc import Hashable, Mapping, Sequence, Set
from dataclasses import replace
from datetime import datetime
from functools import partial
from uuid import UUID

from payments.domain.account import Account, Standing
from payments.domain.claims import Claim, Key, KnownPayment
from payments.domain.commands import CorrectAccount, Deposit
from payments.domain.events import PaymentRequest
from payments.domain.payment import Payment
from payments.domain.transfer import Kind, Transfer
from tests.memory.database import MemoryDatabase, Table
from tests.memory.parked import PARKED
from tests.memory.unit_of_work import MemoryUnitOfWork


def _key(user_id: str, value: Hashable, *more: Hashable) -> Hashable | None:
    """The key of a row; None if `value` is None, because in PostgreSQL a NULL equals no other value."""
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
PAYMENTS = Table[Payment]({"order_id": lambda payment: payment.order_id}, append_only=True)


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

    async def save_frozen(self, account: Account) -> None:
        await self._uow.transaction.update(ACCOUNTS, account.user_id, partial(_frozen, account))


class MemoryLedger:
    def __init__(self, uow: MemoryUnitOfWork) -> None:
        self._uow = uow

    async def booked(self, commands: Sequence[Deposit | CorrectAccount]) -> Sequence[Transfer]:
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
        keys = dict.fromkeys(request.order_id for request in requests)
        found = (self._uow.transaction.get(PAYMENTS, key) for key in keys)
        return [payment for payment in found if payment is not None]

    async def add(self, payments: Sequence[Payment]) -> None:
        for payment in sorted(payments, key=lambda payment: payment.order_id):
            await self._uow.transaction.insert(PAYMENTS, payment)


class MemoryDecisions:
    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def about(self, order_id: UUID) -> tuple[Payment | None, Sequence[Transfer]]:
        payment = self._database.get(PAYMENTS, order_id)
        if payment is None:
            return None, []
        transfers = [row for row in self._database.rows(TRANSFERS) if row.order_id == order_id]
        return payment, sorted(transfers, key=lambda transfer: transfer.sequence)


class MemoryOpenedAccounts:
    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def find(self, user_ids: Set[str]) -> Mapping[str, Account]:
        found = (self._database.get(ACCOUNTS, user_id) for user_id in sorted(user_ids))
        return {account.user_id: replace(account) for account in found if account is not None}

    async def standings(self, user_ids: Set[str]) -> Mapping[str, Standing]:
        found = await self.find(user_ids)
        return {user_id: Standing(one.balance, one.is_frozen) for user_id, one in found.items()}


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

    async def balance(self, account: Account, at: datetime) -> int:
        transfers = await self.page(account.user_id, after=None, limit=account.sequence)
        return next((transfer.balance_after for transfer in transfers if transfer.created_at <= at), 0)


def _balanced(new: Account, row: Account) -> Account:
    return replace(row, balance=new.balance, sequence=new.sequence)


def _frozen(new: Account, row: Account) -> Account:
    return replace(row, frozen_at=new.frozen_at)


class MemoryClaims:
    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def page(self, after: Key | None, until: Key | None, *, count_max: int) -> Sequence[Claim]:
        keys = sorted((row.user_id, row.order_id) for row in self._database.rows(PAYMENTS))
        wanted = [key for key in keys if (after is None or key > after) and (until is None or key <= until)]
        return [Claim(*key, self._claim(key)) for key in wanted[:count_max]]

    async def known(self, keys: Sequence[Key]) -> Sequence[KnownPayment]:
        return [self._known(key) for key in keys]

    def _claim(self, key: Key) -> str:
        one = self._known(key)
        decision = "refunded" if one.refunded_at else one.decision
        paid = f"{one.amount} {one.currency}"
        return f"{decision} {paid if one.decision == 'captured' else one.reason or ''}"

    def _known(self, key: Key) -> KnownPayment:
        user_id, order_id = key
        rows = [row for row in self._database.rows(TRANSFERS) if (row.user_id, row.order_id) == key]
        paid = next((row for row in rows if row.kind is Kind.CAPTURE), None)
        refunded = next((row for row in rows if row.kind is Kind.REFUND), None)
        payment, account = self._database.get(PAYMENTS, order_id), self._database.get(ACCOUNTS, user_id)
        if payment is not None and payment.user_id != user_id:
            payment = None
        parked = {row.unhandled.subject for row in self._database.rows(PARKED)}
        return KnownPayment(
            user_id=user_id,
            order_id=order_id,
            decision=payment.decision if payment else None,
            reason=payment.reason if payment else None,
            created_at=payment.created_at if payment else None,
            amount=paid.amount if paid else None,
            currency=account.currency if account else None,
            refunded_at=refunded.created_at if refunded else None,
            waiting=str(order_id) in parked,
        )
