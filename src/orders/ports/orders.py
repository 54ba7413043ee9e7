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
        """All of them, or none and Contention: where an order with one's id, or with its user's idempotency
        key, is there already. One that is about to be added is waited for."""
        ...

    async def lock(self, items: Sequence[PaymentResult | CancelOrder]) -> Mapping[UUID, Order]:
        """The orders, by id, that these are about; nobody else can change them until the end of this
        transaction. An order that is not there, or not of that user, is left out."""
        ...

    async def overdue(self, now: datetime, *, count_max: int) -> Sequence[Order]:
        """Locked orders about which it is time to ask again, the longest overdue first.

        Passed over are orders that somebody else has locked, and orders that a parked message names: those
        wait for the operator.
        """
        ...

    async def save(self, orders: Sequence[Order]) -> None: ...


class History(Protocol):
    """Every status that an order ever had; append-only."""

    async def add(self, changes: Sequence[StatusChanged]) -> None: ...


class PlacedOrders(Protocol):
    """Reads beside the model, each of what is committed now."""

    async def get(self, order_id: UUID) -> Order | None: ...

    async def history(self, order_id: UUID, *, after: int) -> Sequence[StatusChanged]:
        """The order's changes with a higher sequence than that, oldest first."""
        ...

    async def status_histories(self, order_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Order] | None]:
        """Each order as it was after each of its changes, by id; what is not there is left out. None for one
        that cannot be read now while others can."""
        ...

    async def find(self, commands: Sequence[Placement]) -> Sequence[Order]:
        """The orders that bear the idempotency key of one of the commands, or the id of one without a key."""
        ...

    async def find_twins(self, commands: Sequence[Placement]) -> Sequence[Order]:
        """The orders that bear the idempotency key of one of the commands, once nobody is about to place one.

        Whoever is doing so, even for a client that is long gone, is waited for. Raises Contention when that
        takes too long.
        """
        ...

    async def page(
        self, *, user_id: str | None, status: Status | None, after: UUID | None, limit: int
    ) -> Sequence[Order]:
        """Oldest first, those that come after the given id."""
        ...
