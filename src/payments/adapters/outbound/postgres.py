"""Accounts, transfers and decisions in PostgreSQL. Every statement handles a whole batch."""

from collections.abc import Mapping, Sequence, Set
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Uuid, and_, bindparam, select, union, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.statements.reading import read
from kernel.adapters.postgres.statements.unit_of_work import PostgresUnitOfWork
from kernel.adapters.postgres.statements.unnest import arrays, document, insert_document, unnest
from kernel.adapters.postgres.tables import Key
from payments.adapters.outbound.tables import ACCOUNTS, PAYMENTS, TRANSFERS
from payments.domain.account import Account, Standing
from payments.domain.commands import CorrectAccount, Deposit
from payments.domain.events import PaymentRequest
from payments.domain.payment import Decision, Payment
from payments.domain.transfer import Kind, Transfer

_ADD_ACCOUNTS = insert_document(ACCOUNTS).on_conflict_do_nothing(index_elements=[ACCOUNTS.c.user_id])
_OF_USERS = ACCOUNTS.c.user_id == bindparam("user_ids", type_=ARRAY(Key)).any_()
_ACCOUNTS_OF: Select[*tuple[Any, ...]] = select(*ACCOUNTS.c).where(_OF_USERS)
_STANDINGS = select(
    ACCOUNTS.c.user_id, ACCOUNTS.c.balance, ACCOUNTS.c.frozen_at.is_not(None).label("frozen")
).where(_OF_USERS)
_LOCK_ACCOUNTS = _ACCOUNTS_OF.order_by(ACCOUNTS.c.user_id).with_for_update()

_BALANCE = (ACCOUNTS.c.user_id, ACCOUNTS.c.balance, ACCOUNTS.c.sequence)
_balances = unnest(*_BALANCE)
_SAVE_ACCOUNTS = (
    update(ACCOUNTS)
    .where(ACCOUNTS.c.user_id == _balances.c.user_id)
    .values(balance=_balances.c.balance, sequence=_balances.c.sequence)
)

_SAVE_FROZEN = (
    update(ACCOUNTS)
    .where(ACCOUNTS.c.user_id == bindparam("of_user"))
    .values(frozen_at=bindparam("since", type_=ACCOUNTS.c.frozen_at.type))
)

_ADD_TRANSFERS = insert_document(TRANSFERS)
_NAMES = (TRANSFERS.c.user_id, TRANSFERS.c.id, TRANSFERS.c.idempotency_key)
_names = unnest(*_NAMES)
_FIND_BOOKED = union(
    *(
        select(*TRANSFERS.c).join_from(
            TRANSFERS, _names, and_(TRANSFERS.c.user_id == _names.c.user_id, own == given)
        )
        for own, given in (
            (TRANSFERS.c.id, _names.c.id),
            (TRANSFERS.c.idempotency_key, _names.c.idempotency_key),
        )
    )
)
_ORDER = (PAYMENTS.c.user_id, PAYMENTS.c.order_id)
_orders = unnest(*_ORDER)
_OF_ORDERS = select(*TRANSFERS.c).join_from(
    TRANSFERS,
    _orders,
    and_(TRANSFERS.c.user_id == _orders.c.user_id, TRANSFERS.c.order_id == _orders.c.order_id),
)

_ADD_PAYMENTS = insert_document(PAYMENTS)
_RECORDED = select(*PAYMENTS.c).where(PAYMENTS.c.order_id == bindparam("order_ids", type_=ARRAY(Uuid)).any_())


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

    async def save_frozen(self, account: Account) -> None:
        values = {"of_user": account.user_id, "since": account.frozen_at}
        await self._uow.transaction.write(_SAVE_FROZEN, values)


class PostgresLedger:
    def __init__(self, uow: PostgresUnitOfWork) -> None:
        self._uow = uow

    async def booked(self, commands: Sequence[Deposit | CorrectAccount]) -> Sequence[Transfer]:
        keys = ((command.user_id, command.transfer_id, command.idempotency_key) for command in commands)
        rows = await self._uow.transaction.execute(_FIND_BOOKED, arrays(_NAMES, keys))
        return [transfer_of(row) for row in rows]

    async def of_orders(self, payments: Sequence[Payment]) -> Sequence[Transfer]:
        keys = {(payment.user_id, payment.order_id) for payment in payments}
        rows = await self._uow.transaction.execute(_OF_ORDERS, arrays(_ORDER, keys))
        return [transfer_of(row) for row in rows]

    async def add(self, transfers: Sequence[Transfer]) -> None:
        if transfers:
            given = sorted(transfers, key=lambda transfer: (transfer.user_id, transfer.sequence))
            await self._uow.transaction.write(_ADD_TRANSFERS, document(TRANSFERS, given))


class PostgresPayments:
    def __init__(self, uow: PostgresUnitOfWork) -> None:
        self._uow = uow

    async def recorded(self, requests: Sequence[PaymentRequest]) -> Sequence[Payment]:
        order_ids = list({request.order_id for request in requests})
        rows = await self._uow.transaction.execute(_RECORDED, {"order_ids": order_ids})
        return [_payment(row) for row in rows]

    async def add(self, payments: Sequence[Payment]) -> None:
        if payments:
            given = sorted(payments, key=lambda payment: payment.order_id)
            await self._uow.transaction.write(_ADD_PAYMENTS, document(PAYMENTS, given))


class PostgresDecisions:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def about(self, order_id: UUID) -> tuple[Payment | None, Sequence[Transfer]]:
        rows = await read(self._engine, _RECORDED, {"order_ids": [order_id]})
        if not rows:
            return None, []
        payment = _payment(rows[0])
        transfers = await read(self._engine, _OF_ORDERS, arrays(_ORDER, [(payment.user_id, order_id)]))
        return payment, sorted(map(transfer_of, transfers), key=lambda transfer: transfer.sequence)


class PostgresOpenedAccounts:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def find(self, user_ids: Set[str]) -> Mapping[str, Account]:
        rows = await read(self._engine, _ACCOUNTS_OF, {"user_ids": list(user_ids)})
        return {account.user_id: account for account in map(_account, rows)}

    async def standings(self, user_ids: Set[str]) -> Mapping[str, Standing]:
        rows = await read(self._engine, _STANDINGS, {"user_ids": list(user_ids)})
        return {user_id: Standing(balance, frozen) for user_id, balance, frozen in rows}


def _account(row: Mapping[str, Any]) -> Account:
    return Account(**row)


def _payment(row: Mapping[str, Any]) -> Payment:
    return Payment(**{**row, "decision": Decision(row["decision"])})


def transfer_of(row: Mapping[str, Any]) -> Transfer:
    """Makes a Transfer of a row of `TRANSFERS`."""
    return Transfer(**{**row, "kind": Kind(row["kind"])})
