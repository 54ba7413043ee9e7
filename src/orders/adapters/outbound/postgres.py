"""Orders and their history in PostgreSQL; every statement takes a whole batch."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Select,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    cast,
    exists,
    func,
    literal,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.driver import connected
from kernel.adapters.postgres.failures import meaning
from kernel.adapters.postgres.reading import read
from kernel.adapters.postgres.tables import PARKED
from kernel.adapters.postgres.transaction import Transaction
from kernel.adapters.postgres.unit_of_work import PostgresUnitOfWork
from kernel.adapters.postgres.unnest import arrays, document, records, unnest
from orders.adapters.outbound.tables import ORDER_HISTORY, ORDERS
from orders.domain.events import PaymentDecided
from orders.domain.order import CancelOrder, Order, PlaceOrder, Status, StatusChanged

_COLUMNS = (
    ORDERS.c.user_id,
    ORDERS.c.id,
    ORDERS.c.amount,
    ORDERS.c.currency,
    ORDERS.c.description,
    ORDERS.c.status,
    ORDERS.c.reason,
    ORDERS.c.idempotency_key,
    ORDERS.c.cancel_requested_at,
    ORDERS.c.ask_again_at,
    ORDERS.c.created_at,
    ORDERS.c.updated_at,
)
_NAMES = [c.name for c in _COLUMNS]
_ADD = insert(ORDERS).from_select(_NAMES, select(records(*_COLUMNS)))

_KEYS = (ORDERS.c.user_id, ORDERS.c.id)
_keys = unnest(*_KEYS)
_LOCK = (
    select(*_COLUMNS)
    .join_from(ORDERS, _keys, and_(ORDERS.c.user_id == _keys.c.user_id, ORDERS.c.id == _keys.c.id))
    .order_by(ORDERS.c.user_id, ORDERS.c.id)
    .with_for_update(of=ORDERS)
)

_STATUS = (
    ORDERS.c.user_id,
    ORDERS.c.id,
    ORDERS.c.status,
    ORDERS.c.reason,
    ORDERS.c.cancel_requested_at,
    ORDERS.c.ask_again_at,
    ORDERS.c.updated_at,
)
_given = unnest(*_STATUS)
_SAVE = (
    update(ORDERS)
    .where(ORDERS.c.user_id == _given.c.user_id, ORDERS.c.id == _given.c.id)
    .values({c.name: _given.c[c.name] for c in _STATUS[2:]})
)

_OVERDUE = (
    select(*_COLUMNS)
    .where(
        ORDERS.c.ask_again_at <= bindparam("now"),
        ~exists().where(PARKED.c.subject == cast(ORDERS.c.id, Text)),
    )
    .order_by(ORDERS.c.ask_again_at)
    .limit(bindparam("count_max"))
    .with_for_update(skip_locked=True)
)

_PLACED = (ORDERS.c.user_id, ORDERS.c.id, ORDERS.c.idempotency_key)
_placed = unnest(*_PLACED)
_NAMES_OF = (ORDERS.c.user_id, ORDERS.c.idempotency_key)
_named = unnest(*_NAMES_OF)
_FIND_BY_KEY = select(*_COLUMNS).join_from(
    ORDERS,
    _named,
    and_(ORDERS.c.user_id == _named.c.user_id, ORDERS.c.idempotency_key == _named.c.idempotency_key),
)
_FIND_BY_ID = select(*_COLUMNS).join_from(
    ORDERS, _keys, and_(ORDERS.c.user_id == _keys.c.user_id, ORDERS.c.id == _keys.c.id)
)

_GET = select(*_COLUMNS).where(ORDERS.c.id == bindparam("id"))

# Blank orders that are never committed: inserting one waits for whoever else is about to use its key.
_BLANK = {
    "amount": literal(1),
    "currency": literal(""),
    "description": literal(""),
    "status": literal(""),
    "created_at": func.now(),
    "updated_at": func.now(),
}
_TRY = (
    insert(ORDERS)
    .from_select([*(c.name for c in _PLACED), *_BLANK], select(*_placed.c, *_BLANK.values()))
    .on_conflict_do_nothing()
    .returning(ORDERS.c.id)
)

_CHANGES = tuple(ORDER_HISTORY.c)
_WITH_HISTORY = ORDERS.join(
    ORDER_HISTORY,
    and_(ORDER_HISTORY.c.user_id == ORDERS.c.user_id, ORDER_HISTORY.c.order_id == ORDERS.c.id),
)
_HISTORY = (
    select(*_CHANGES)
    .select_from(_WITH_HISTORY)
    .where(ORDERS.c.id == bindparam("id"), ORDER_HISTORY.c.sequence > bindparam("after", type_=BigInteger))
    .order_by(ORDER_HISTORY.c.sequence)
)
_THEN = {
    "status": ORDER_HISTORY.c.status,
    "reason": ORDER_HISTORY.c.reason,
    "updated_at": ORDER_HISTORY.c.at.label("updated_at"),
}
_LIVES = (
    select(*(_THEN.get(c.name, c) for c in _COLUMNS))
    .select_from(_WITH_HISTORY)
    .where(ORDERS.c.id == any_(bindparam("ids", type_=ARRAY(Uuid))))
    .order_by(ORDERS.c.id, ORDER_HISTORY.c.sequence)
)
_ADD_CHANGES = insert(ORDER_HISTORY).from_select([c.name for c in _CHANGES], select(records(*_CHANGES)))


class PostgresOrders:
    def __init__(self, uow: PostgresUnitOfWork) -> None:
        self._uow = uow

    async def add(self, orders: Sequence[Order]) -> None:
        # Orders meet by their keys first: twins of one key have different ids, so ids are in no common order.
        rows = sorted(orders, key=lambda order: (order.user_id, order.idempotency_key or "", order.id))
        if rows:
            await self._uow.transaction.write(_ADD, document(ORDERS, rows))

    async def lock(self, items: Sequence[PaymentDecided | CancelOrder]) -> Mapping[UUID, Order]:
        keys = sorted({(item.user_id, item.order_id) for item in items})
        rows = await self._uow.transaction.execute(_LOCK, arrays(_KEYS, keys))
        return {order.id: order for order in map(_order, rows)}

    async def overdue(self, now: datetime, *, count_max: int) -> Sequence[Order]:
        rows = await self._uow.transaction.execute(_OVERDUE, {"now": now, "count_max": count_max})
        return [_order(row) for row in rows]

    async def save(self, orders: Sequence[Order]) -> None:
        if orders:
            rows = ([getattr(order, c.name) for c in _STATUS] for order in orders)
            await self._uow.transaction.write(_SAVE, arrays(_STATUS, rows))


class PostgresHistory:
    def __init__(self, uow: PostgresUnitOfWork) -> None:
        self._uow = uow

    async def add(self, changes: Sequence[StatusChanged]) -> None:
        if changes:
            rows = sorted(changes, key=lambda change: (change.user_id, change.order_id, change.sequence))
            await self._uow.transaction.write(_ADD_CHANGES, document(ORDER_HISTORY, rows))


class PostgresPlacedOrders:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def get(self, order_id: UUID) -> Order | None:
        rows = await read(self._engine, _GET, {"id": order_id})
        return _order(rows[0]) if rows else None

    async def history(self, order_id: UUID, *, after: int) -> Sequence[StatusChanged]:
        rows = await read(self._engine, _HISTORY, {"id": order_id, "after": after})
        return [StatusChanged(**{**row, "status": Status(row["status"])}) for row in rows]

    async def lives(self, order_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Order]]:
        lives: defaultdict[UUID, list[Order]] = defaultdict(list)
        for row in await read(self._engine, _LIVES, {"ids": order_ids}):
            lives[row["id"]].append(_order(row))
        return lives

    async def find(self, commands: Sequence[PlaceOrder]) -> Sequence[Order]:
        named = {(c.user_id, c.idempotency_key) for c in commands if c.idempotency_key is not None}
        unnamed = {(c.user_id, c.order_id) for c in commands if c.idempotency_key is None}
        found: list[Order] = []
        if named:
            found += map(_order, await read(self._engine, _FIND_BY_KEY, arrays(_NAMES_OF, named)))
        if unnamed:
            found += map(_order, await read(self._engine, _FIND_BY_ID, arrays(_KEYS, unnamed)))
        return found

    async def find_twins(self, commands: Sequence[PlaceOrder]) -> Sequence[Order]:
        keyed = [command for command in commands if command.idempotency_key is not None]
        in_key_order = sorted((c.user_id, c.idempotency_key or "", c.order_id) for c in keyed)
        rows = ((user_id, order_id, key) for user_id, key, order_id in in_key_order)
        with meaning():
            async with connected(self._engine) as connection:
                transaction = Transaction(connection)
                free = {order_id for (order_id,) in await transaction.execute(_TRY, arrays(_PLACED, rows))}
                await transaction.roll_back()
        taken = [command for command in keyed if command.order_id not in free]
        return await self.find(taken) if taken else []

    async def page(
        self, *, user_id: str | None, status: Status | None, after: UUID | None, limit: int
    ) -> Sequence[Order]:
        filters = {"user_id": user_id, "status": status, "after": after}
        given = {name: value for name, value in filters.items() if value is not None}
        rows = await read(self._engine, _page(frozenset(given)), {**given, "limit": limit})
        return [_order(row) for row in rows]


@cache
def _page(filters: frozenset[str]) -> Select[*tuple[Any, ...]]:
    """One statement for each combination of filters: the driver prepares each of them once.

    Each has an index that begins with the columns of the filters and ends with the id, so that a page costs
    what it holds, however few rows match. A status is written as a range of one value, and the page is
    ordered by it too: with an equality the planner would scan `orders_id` for a status that it believes most
    orders to have.
    """
    query = select(*_COLUMNS).limit(bindparam("limit", type_=BigInteger))
    after = bindparam("after", type_=Uuid)
    if "user_id" in filters:
        query = query.where(ORDERS.c.user_id == bindparam("user_id"))
    if "status" not in filters:
        query = query.order_by(ORDERS.c.id)
        return query.where(ORDERS.c.id > after) if "after" in filters else query
    status, place = bindparam("status", type_=Text), tuple_(ORDERS.c.status, ORDERS.c.id)
    query = query.where(ORDERS.c.status.between(status, status)).order_by(ORDERS.c.status, ORDERS.c.id)
    return query.where(place > tuple_(status, after)) if "after" in filters else query


def _order(row: Iterable[Any]) -> Order:
    """Takes the values of `_COLUMNS`; written out, because a list of orders takes most of its time here."""
    user_id, id, amount, currency, description, status, reason, key, cancelled_at, ask_at, made, changed = row
    return Order(
        id=id,
        user_id=user_id,
        amount=amount,
        currency=currency,
        description=description,
        status=_STATUSES[status],
        reason=reason,
        idempotency_key=key,
        cancel_requested_at=cancelled_at,
        ask_again_at=ask_at,
        created_at=made,
        updated_at=changed,
    )


_STATUSES = {status.value: status for status in Status}
