from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from orders.domain.commands import CancelOrder, Placement
from orders.domain.events import PaymentResult
from orders.domain.order import Order
from orders.domain.status import Status, StatusChanged


class Orders(Protocol):
    """The collection of all orders, inside a transaction."""

    async def add(self, orders: Sequence[Order]) -> None:
        """Adds all orders. If an order with the same id, or with the same user and idempotency key, exists,
        raises Contention and adds none. Waits for other transactions that are adding such an order."""
        ...

    async def lock(self, items: Sequence[PaymentResult | CancelOrder]) -> Mapping[UUID, Order]:
        """Locks the orders of these items until the end of the transaction, and returns them by id. Orders
        that do not exist, or belong to another user, are left out."""
        ...

    async def overdue(self, now: datetime, *, count_max: int) -> Sequence[Order]:
        """Locks and returns orders whose `ask_again_at` has come, the longest overdue first.

        Skips orders that another transaction has locked, and orders with a parked message, which wait for an
        operator.
        """
        ...

    async def save(self, orders: Sequence[Order]) -> None: ...


class History(Protocol):
    """The status changes of all orders. Changes are only ever added."""

    async def add(self, changes: Sequence[StatusChanged]) -> None: ...


class ReadableOrders(Protocol):
    """Reads committed orders, outside of a transaction."""

    async def get(self, order_id: UUID) -> Order | None: ...

    async def history(self, order_id: UUID, *, after: int) -> Sequence[StatusChanged]:
        """The order's changes with a sequence above `after`, oldest first."""
        ...

    async def status_histories(self, order_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Order] | None]:
        """By id, each order as it was after each of its changes. Orders that do not exist are left out. If
        only some orders cannot be read now, each of them has None."""
        ...

    async def page(
        self, *, user_id: str | None, status: Status | None, after: UUID | None, limit: int
    ) -> Sequence[Order]:
        """Orders with ids behind `after`, oldest first."""
        ...


class PlacedOrders(ReadableOrders, Protocol):
    """Also finds existing orders for placements that may be repeats."""

    async def find(self, commands: Sequence[Placement]) -> Sequence[Order]:
        """The orders with the idempotency key of a command, or with the id of a command without a key."""
        ...

    async def find_twins(self, commands: Sequence[Placement]) -> Sequence[Order]:
        """The orders with the idempotency key of a command.

        First waits for every transaction that is placing such an order, even if its client has left. Raises
        Contention if that takes too long.
        """
        ...
