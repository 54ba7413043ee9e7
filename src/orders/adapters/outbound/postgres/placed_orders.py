"""Reads committed orders and their histories, outside of a unit of work."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
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
    func,
    literal,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.connections.failures import translate_errors
from kernel.adapters.postgres.statements.driver import connected
from kernel.adapters.postgres.statements.reading import read
from kernel.adapters.postgres.statements.transaction import Transaction
from kernel.adapters.postgres.statements.unnest import arrays, unnest
from orders.adapters.outbound.postgres.rows import BY_KEYS, CHANGES, COLUMNS, KEYS, order_of
from orders.adapters.outbound.tables import ORDER_HISTORY, ORDERS
from orders.domain.commands import Placement
from orders.domain.order import Order
from orders.domain.status import Status, StatusChanged

_PLACED = (ORDERS.c.user_id, ORDERS.c.id, ORDERS.c.idempotency_key)
_placed = unnest(*_PLACED)
_NAMES_OF = (ORDERS.c.user_id, ORDERS.c.idempotency_key)
_named = unnest(*_NAMES_OF)
_FIND_BY_KEY = select(*COLUMNS).join_from(
    ORDERS,
    _named,
    and_(ORDERS.c.user_id == _named.c.user_id, ORDERS.c.idempotency_key == _named.c.idempotency_key),
)

_GET = select(*COLUMNS).where(ORDERS.c.id == bindparam("id"))

# A placeholder row is never committed. Its insertion waits for each transaction that is using its key.
_PLACEHOLDER = {
    "amount": literal(1),
    "currency": literal(""),
    "description": literal(""),
    "status": literal(""),
    "created_at": func.now(),
    "updated_at": func.now(),
}
_RESERVE = (
    insert(ORDERS)
    .from_select([*(c.name for c in _PLACED), *_PLACEHOLDER], select(*_placed.c, *_PLACEHOLDER.values()))
    .on_conflict_do_nothing()
    .returning(ORDERS.c.id)
)
_WITH_HISTORY = ORDERS.join(
    ORDER_HISTORY, and_(ORDER_HISTORY.c.user_id == ORDERS.c.user_id, ORDER_HISTORY.c.order_id == ORDERS.c.id)
)
_HISTORY = (
    select(*CHANGES)
    .select_from(_WITH_HISTORY)
    .where(ORDERS.c.id == bindparam("id"), ORDER_HISTORY.c.sequence > bindparam("after", type_=BigInteger))
    .order_by(ORDER_HISTORY.c.sequence)
)
_THEN = {
    "status": ORDER_HISTORY.c.status,
    "reason": ORDER_HISTORY.c.reason,
    "updated_at": ORDER_HISTORY.c.at.label("updated_at"),
}
_STATUS_HISTORIES = (
    select(*(_THEN.get(c.name, c) for c in COLUMNS))
    .select_from(_WITH_HISTORY)
    .where(ORDERS.c.id == any_(bindparam("ids", type_=ARRAY(Uuid))))
    .order_by(ORDERS.c.id, ORDER_HISTORY.c.sequence)
)


class PostgresPlacedOrders:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def get(self, order_id: UUID) -> Order | None:
        rows = await read(self._engine, _GET, {"id": order_id})
        return order_of(rows[0]) if rows else None

    async def history(self, order_id: UUID, *, after: int) -> Sequence[StatusChanged]:
        rows = await read(self._engine, _HISTORY, {"id": order_id, "after": after})
        return [StatusChanged(**{**row, "status": Status(row["status"])}) for row in rows]

    async def status_histories(self, order_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Order] | None]:
        status_histories: defaultdict[UUID, list[Order]] = defaultdict(list)
        for row in await read(self._engine, _STATUS_HISTORIES, {"ids": order_ids}):
            status_histories[row["id"]].append(order_of(row))
        return status_histories

    async def find(self, commands: Sequence[Placement]) -> Sequence[Order]:
        named = {(c.user_id, c.idempotency_key) for c in commands if c.idempotency_key is not None}
        unnamed = {(c.user_id, c.order_id) for c in commands if c.idempotency_key is None}
        found: list[Order] = []
        if named:
            found += map(order_of, await read(self._engine, _FIND_BY_KEY, arrays(_NAMES_OF, named)))
        if unnamed:
            found += map(order_of, await read(self._engine, BY_KEYS, arrays(KEYS, unnamed)))
        return found

    async def find_twins(self, commands: Sequence[Placement]) -> Sequence[Order]:
        keyed = [command for command in commands if command.idempotency_key is not None]
        in_key_order = sorted((c.user_id, c.idempotency_key or "", c.order_id) for c in keyed)
        rows = ((user_id, order_id, key) for user_id, key, order_id in in_key_order)
        with translate_errors():
            async with connected(self._engine) as connection:
                transaction = Transaction(connection)
                free = {
                    order_id for (order_id,) in await transaction.execute(_RESERVE, arrays(_PLACED, rows))
                }
                await transaction.roll_back()
        taken = [command for command in keyed if command.order_id not in free]
        return await self.find(taken) if taken else []

    async def page(
        self, *, user_id: str | None, status: Status | None, after: UUID | None, limit: int
    ) -> Sequence[Order]:
        filters = {"user_id": user_id, "status": status, "after": after}
        given = {name: value for name, value in filters.items() if value is not None}
        rows = await read(self._engine, _page(frozenset(given)), {**given, "limit": limit})
        return [order_of(row) for row in rows]


@cache
def _page(filters: frozenset[str]) -> Select[*tuple[Any, ...]]:
    """The statement that reads a page with these filters. The driver prepares each statement once.

    Each statement has an index that begins with the filtered columns and ends with the id, so only
    rows of the page are read, even if few orders match. The status is compared as a range of one value, and
    the page is ordered by status too. With an equality, the planner would scan `orders_id` for a status that
    it believes to be frequent.
    """
    query = select(*COLUMNS).limit(bindparam("limit", type_=BigInteger))
    after = bindparam("after", type_=Uuid)
    if "user_id" in filters:
        query = query.where(ORDERS.c.user_id == bindparam("user_id"))
    if "status" not in filters:
        query = query.order_by(ORDERS.c.id)
        return query.where(ORDERS.c.id > after) if "after" in filters else query
    status, place = bindparam("status", type_=Text), tuple_(ORDERS.c.status, ORDERS.c.id)
    query = query.where(ORDERS.c.status.between(status, status)).order_by(ORDERS.c.status, ORDERS.c.id)
    return query.where(place > tuple_(status, after)) if "after" in filters else query
