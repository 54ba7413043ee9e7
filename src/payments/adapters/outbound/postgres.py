"""Accounts, transfers and decisions in PostgreSQL; every statement takes a whole batch."""

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

from sqlalchemy import BigInteger, Select, and_, bindparam, select, union, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.statements.reading import read
from kernel.adapters.postgres.statements.unit_of_work import PostgresUnitOfWork
from kernel.adapters.postgres.statements.unnest import arrays, document, records, unnest
from kernel.adapters.postgres.tables import Key
from payments.adapters.outbound.tables import ACCOUNTS, PAYMENTS, TRANSFERS
from payments.domain.account import Account, Deposit, Kind, Transfer
from payments.domain.events import PaymentRequest
from payments.domain.payment import Decision, Payment

_ACCOUNT = tuple(ACCOUNTS.c)
_ACCOUNT_NAMES = [c.name for c in _ACCOUNT]
_ADD_ACCOUNTS = (
    insert(ACCOUNTS)
    .from_select(_ACCOUNT_NAMES, select(records(*_ACCOUNT)))
    .on_conflict_do_nothing(index_elements=[ACCOUNTS.c.user_id])
)
_OF_USERS = ACCOUNTS.c.user_id == bindparam("user_ids", type_=ARRAY(Key)).any_()
_ACCOUNTS_OF: Select[*tuple[Any, ...]] = select(*_ACCOUNT).where(_OF_USERS)
_BALANCES = select(ACCOUNTS.c.user_id, ACCOUNTS.c.balance).where(_OF_USERS)
_LOCK_ACCOUNTS = _ACCOUNTS_OF.order_by(ACCOUNTS.c.user_id).with_for_update()

_BALANCE = (ACCOUNTS.c.user_id, ACCOUNTS.c.balance, ACCOUNTS.c.sequence)
_balances = unnest(*_BALANCE)
_SAVE_ACCOUNTS = (
    update(ACCOUNTS)
    .where(ACCOUNTS.c.user_id == _balances.c.user_id)
    .values(balance=_balances.c.balance, sequence=_balances.c.sequence)
)

_TRANSFER = tuple(TRANSFERS.c)
_TRANSFER_NAMES = [c.name for c in _TRANSFER]
_ADD_TRANSFERS = insert(TRANSFERS).from_select(_TRANSFER_NAMES, select(records(*_TRANSFER)))
_DEPOSIT = (TRANSFERS.c.user_id, TRANSFERS.c.id, TRANSFERS.c.idempotency_key)
_deposits = unnest(*_DEPOSIT)
_FIND_DEPOSITS = union(
    *(
        select(*_TRANSFER).join_from(
            TRANSFERS,
            _deposits,
            and_(TRANSFERS.c.user_id == _deposits.c.user_id, own == given),
        )
        for own, given in (
            (TRANSFERS.c.id, _deposits.c.id),
            (TRANSFERS.c.idempotency_key, _deposits.c.idempotency_key),
        )
    )
)
_ORDER = (PAYMENTS.c.user_id, PAYMENTS.c.order_id)
_orders = unnest(*_ORDER)
_OF_ORDERS = select(*_TRANSFER).join_from(
    TRANSFERS,
    _orders,
    and_(TRANSFERS.c.user_id == _orders.c.user_id, TRANSFERS.c.order_id == _orders.c.order_id),
)
_NEWEST = (
    select(*_TRANSFER)
    .where(TRANSFERS.c.user_id == bindparam("user_id"))
    .order_by(TRANSFERS.c.sequence.desc())
    .limit(bindparam("limit", type_=BigInteger))
)
_BEFORE = _NEWEST.where(TRANSFERS.c.sequence < bindparam("after"))

_PAYMENT = tuple(PAYMENTS.c)
_ADD_PAYMENTS = insert(PAYMENTS).from_select([c.name for c in _PAYMENT], select(records(*_PAYMENT)))
_RECORDED = select(*_PAYMENT).join_from(
    PAYMENTS,
    _orders,
    and_(PAYMENTS.c.user_id == _orders.c.user_id, PAYMENTS.c.order_id == _orders.c.order_id),
)


class PostgresAccounts:
    def __init__(self, uow: PostgresUnitOfWork) -> None:
        self._uow = uow

    async def add(self, accounts: Sequence[Account]) -> Mapping[str, Account]:
        given = sorted(accounts, key=lambda account: account.user_id)
        await self._uow.transaction.execute(_ADD_ACCOUNTS, document(ACCOUNTS, given))
        user_ids = [account.user_id for account in given]
        found = await self._uow.transaction.execute(_ACCOUNTS_OF, {"user_ids": user_ids})
        return {account.user_id: account for account in map(_account, found)}

    async def lock(self, user_ids: Set[str]) -> Mapping[str, Account]:
        rows = await self._uow.transaction.execute(_LOCK_ACCOUNTS, {"user_ids": sorted(user_ids)})
        return {account.user_id: account for account in map(_account, rows)}

    async def save(self, accounts: Sequence[Account]) -> None:
        if accounts:
            rows = ((account.user_id, account.balance, account.sequence) for account in accounts)
            await self._uow.transaction.write(_SAVE_ACCOUNTS, arrays(_BALANCE, rows))


class PostgresLedger:
    def __init__(self, uow: PostgresUnitOfWork) -> None:
        self._uow = uow

    async def deposits(self, commands: Sequence[Deposit]) -> Sequence[Transfer]:
        keys = ((command.user_id, command.transfer_id, command.idempotency_key) for command in commands)
        rows = await self._uow.transaction.execute(_FIND_DEPOSITS, arrays(_DEPOSIT, keys))
        return [_transfer(row) for row in rows]

    async def of_orders(self, payments: Sequence[Payment]) -> Sequence[Transfer]:
        keys = {(payment.user_id, payment.order_id) for payment in payments}
        rows = await self._uow.transaction.execute(_OF_ORDERS, arrays(_ORDER, keys))
        return [_transfer(row) for row in rows]

    async def add(self, transfers: Sequence[Transfer]) -> None:
        if transfers:
            given = sorted(transfers, key=lambda transfer: (transfer.user_id, transfer.sequence))
            await self._uow.transaction.write(_ADD_TRANSFERS, document(TRANSFERS, given))


class PostgresStatements:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def page(self, user_id: str, *, after: int | None, limit: int) -> Sequence[Transfer]:
        query = _NEWEST if after is None else _BEFORE
        rows = await read(self._engine, query, {"user_id": user_id, "after": after, "limit": limit})
        return [_transfer(row) for row in rows]


class PostgresPayments:
    def __init__(self, uow: PostgresUnitOfWork) -> None:
        self._uow = uow

    async def recorded(self, requests: Sequence[PaymentRequest]) -> Sequence[Payment]:
        keys = {(request.user_id, request.order_id) for request in requests}
        rows = await self._uow.transaction.execute(_RECORDED, arrays(_ORDER, keys))
        return [Payment(**{**row, "decision": Decision(row["decision"])}) for row in rows]

    async def add(self, payments: Sequence[Payment]) -> None:
        if payments:
            given = sorted(payments, key=lambda payment: (payment.user_id, payment.order_id))
            await self._uow.transaction.write(_ADD_PAYMENTS, document(PAYMENTS, given))


class PostgresOpenedAccounts:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def find(self, user_ids: Set[str]) -> Mapping[str, Account]:
        rows = await read(self._engine, _ACCOUNTS_OF, {"user_ids": list(user_ids)})
        return {account.user_id: account for account in map(_account, rows)}

    async def balances(self, user_ids: Set[str]) -> Mapping[str, int]:
        return dict(await read(self._engine, _BALANCES, {"user_ids": list(user_ids)}))


def _account(row: Iterable[Any]) -> Account:
    return Account(**dict(zip(_ACCOUNT_NAMES, row, strict=True)))


def _transfer(row: Iterable[Any]) -> Transfer:
    values = dict(zip(_TRANSFER_NAMES, row, strict=True))
    values["kind"] = Kind(values["kind"])
    return Transfer(**values)
