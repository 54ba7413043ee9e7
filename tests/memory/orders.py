"""Orders and their history in memory."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from uuid import UUID

from kernel.domain.errors import Refused, Unavailable
from kernel.ports.clock import Clock
from orders.adapters.outbound.circuit_breaker import CircuitBreaker
from orders.domain.commands import CancelOrder, Placement
from orders.domain.events import PaymentResult
from orders.domain.order import Order
from orders.domain.status import Status, StatusChanged
from tests.memory.clock import EPOCH
from tests.memory.database import MemoryDatabase, Table, Transaction
from tests.memory.parked import PARKED
from tests.memory.unit_of_work import MemoryUnitOfWork


def _key(user_id: str, idempotency_key: str | None) -> tuple[str, str] | None:
    return None if idempotency_key is None else (user_id, idempotency_key)


ORDERS = Table[Order](
    {
        "id": lambda order: (order.user_id, order.id),
        "idempotency_key": lambda order: _key(order.user_id, order.idempotency_key),
    },
    check=lambda order: order.amount > 0,
)
ORDER_HISTORY = Table[StatusChanged](
    {"sequence": lambda change: (change.user_id, change.order_id, change.sequence)}, append_only=True
)


class MemoryOrders:
    def __init__(self, uow: MemoryUnitOfWork) -> None:
        self._uow = uow

    async def add(self, orders: Sequence[Order]) -> None:
        for order in sorted(orders, key=lambda o: (o.user_id, o.idempotency_key or "", o.id)):
            await self._uow.transaction.insert(ORDERS, replace(order))

    async def lock(self, items: Sequence[PaymentResult | CancelOrder]) -> Mapping[UUID, Order]:
        keys = sorted({(item.user_id, item.order_id) for item in items})
        return {order.id: replace(order) for order in await self._uow.transaction.lock(ORDERS, keys)}

    async def overdue(self, now: datetime, *, count_max: int) -> Sequence[Order]:
        transaction = self._uow.transaction
        parked = {row.unhandled.subject for row in transaction.committed(PARKED)}
        overdue = [
            order
            for order in transaction.unlocked(ORDERS)
            if order.ask_again_at and order.ask_again_at <= now and str(order.id) not in parked
        ]
        overdue.sort(key=lambda order: order.ask_again_at or now)
        keys = [(order.user_id, order.id) for order in overdue[:count_max]]
        return [replace(order) for order in await transaction.lock(ORDERS, keys)]

    async def save(self, orders: Sequence[Order]) -> None:
        for order in orders:
            await self._uow.transaction.update(ORDERS, (order.user_id, order.id), partial(_settled, order))


class MemoryHistory:
    def __init__(self, uow: MemoryUnitOfWork) -> None:
        self._uow = uow

    async def add(self, changes: Sequence[StatusChanged]) -> None:
        for change in sorted(changes, key=lambda change: (change.user_id, change.order_id, change.sequence)):
            await self._uow.transaction.insert(ORDER_HISTORY, change)


class MemoryPlacedOrders:
    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def get(self, order_id: UUID) -> Order | None:
        rows = self._database.rows(ORDERS)
        return next((replace(order) for order in rows if order.id == order_id), None)

    async def history(self, order_id: UUID, *, after: int) -> Sequence[StatusChanged]:
        rows = self._database.rows(ORDER_HISTORY)
        changes = [row for row in rows if row.order_id == order_id and row.sequence > after]
        return sorted(changes, key=lambda change: change.sequence)

    async def status_histories(self, order_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Order] | None]:
        return {
            order.id: [
                replace(order, status=change.status, reason=change.reason, updated_at=change.at)
                for change in await self.history(order.id, after=0)
            ]
            for order in self._database.rows(ORDERS)
            if order.id in order_ids
        }

    async def find(self, commands: Sequence[Placement]) -> Sequence[Order]:
        found = {}
        for command in commands:
            key = _key(command.user_id, command.idempotency_key)
            by, name = (
                ("id", (command.user_id, command.order_id)) if key is None else ("idempotency_key", key)
            )
            order = self._database.get(ORDERS, name, by=by)
            if order is not None:
                found[order.id] = replace(order)
        return list(found.values())

    async def find_twins(self, commands: Sequence[Placement]) -> Sequence[Order]:
        keyed = [command for command in commands if command.idempotency_key is not None]
        placing = Transaction(self._database)
        try:
            for command in sorted(keyed, key=lambda c: (c.user_id, c.idempotency_key or "", c.order_id)):
                await placing.try_insert(ORDERS, Order.place(command, "", EPOCH))
        finally:
            placing.rollback()
        return await self.find(keyed)

    async def page(
        self, *, user_id: str | None, status: Status | None, after: UUID | None, limit: int
    ) -> Sequence[Order]:
        rows = [
            replace(order)
            for order in self._database.rows(ORDERS)
            if (user_id is None or order.user_id == user_id)
            and (status is None or order.status is status)
            and (after is None or order.id > after)
        ]
        return sorted(rows, key=lambda order: order.id)[:limit]


class MemoryAdmission:
    """Asks a function of this process for the reasons against orders of these users and amounts."""

    def __init__(
        self, ask: Callable[[Sequence[tuple[str, int]]], Awaitable[Sequence[str | None]]], clock: Clock
    ) -> None:
        self._ask = ask
        self._breaker = CircuitBreaker(clock)

    async def check(self, commands: Sequence[Placement]) -> Sequence[Refused | None]:
        if not self._breaker.is_open:
            try:
                reasons = await self._ask([(command.user_id, command.amount) for command in commands])
                return [Refused(reason, reason) if reason else None for reason in reasons]
            except Unavailable:
                self._breaker.trip()
        return [None] * len(commands)


def _settled(new: Order, row: Order) -> Order:
    return replace(
        row,
        status=new.status,
        reason=new.reason,
        cancel_requested_at=new.cancel_requested_at,
        ask_again_at=new.ask_again_at,
        updated_at=new.updated_at,
    )
