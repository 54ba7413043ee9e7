"""Orders and their histories, inside a transaction. Every statement handles a whole batch."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Text, bindparam, cast, exists, select, update
from sqlalchemy.dialects.postgresql import insert

from kernel.adapters.postgres.statements.unit_of_work import PostgresUnitOfWork
from kernel.adapters.postgres.statements.unnest import arrays, document, records, unnest
from kernel.adapters.postgres.tables import PARKED
from orders.adapters.outbound.postgres.rows import BY_KEYS, CHANGES, COLUMNS, KEYS, order_of
from orders.adapters.outbound.tables import ORDER_HISTORY, ORDERS
from orders.domain.commands import CancelOrder
from orders.domain.events import PaymentResult
from orders.domain.order import Order
from orders.domain.status import StatusChanged

_ADD = insert(ORDERS).from_select([c.name for c in COLUMNS], select(records(*COLUMNS)))
_LOCK = BY_KEYS.order_by(ORDERS.c.user_id, ORDERS.c.id).with_for_update(of=ORDERS)

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

_DUE = (
    select(*COLUMNS)
    .where(
        ORDERS.c.ask_again_at <= bindparam("now"),
        ~exists().where(PARKED.c.subject == cast(ORDERS.c.id, Text)),
    )
    .order_by(ORDERS.c.ask_again_at)
    .limit(bindparam("count_max"))
)
_OVERDUE = _DUE.with_for_update(skip_locked=True)
_IS_ANY_DUE = _DUE.with_only_columns(ORDERS.c.id)
_ADD_CHANGES = insert(ORDER_HISTORY).from_select([c.name for c in CHANGES], select(records(*CHANGES)))


class PostgresOrders:
    def __init__(self, uow: PostgresUnitOfWork) -> None:
        self._uow = uow

    async def add(self, orders: Sequence[Order]) -> None:
        # Two batches with the same keys have different ids. Inserts in the order of ids could deadlock.
        rows = sorted(orders, key=lambda order: (order.user_id, order.idempotency_key or "", order.id))
        if rows:
            await self._uow.transaction.write(_ADD, document(ORDERS, rows))

    async def lock(self, items: Sequence[PaymentResult | CancelOrder]) -> Mapping[UUID, Order]:
        keys = sorted({(item.user_id, item.order_id) for item in items})
        rows = await self._uow.transaction.execute(_LOCK, arrays(KEYS, keys))
        return {order.id: order for order in map(order_of, rows)}

    async def overdue(self, now: datetime, *, count_max: int) -> Sequence[Order]:
        # Usually no order is due. This read finds that out without a transaction.
        if not await self._uow.transaction.look(_IS_ANY_DUE, {"now": now, "count_max": 1}):
            return []
        rows = await self._uow.transaction.execute(_OVERDUE, {"now": now, "count_max": count_max})
        return [order_of(row) for row in rows]

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
