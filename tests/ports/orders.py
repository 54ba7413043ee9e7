"""Orders, and how the suites of their ports store them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from kernel.ports.unit_of_work import UnitOfWork
from orders.domain.events import PaymentCaptured, PaymentResult
from orders.domain.order import Order
from orders.domain.status import Status, StatusChanged
from tests.ports.worlds import World

NOW = datetime(2025, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)


def order(number: int, user_id: str = "ada", **values: Any) -> Order:
    placed = Order(
        id=UUID(int=number),
        user_id=user_id,
        amount=1000 + number,
        currency="RUB",
        description=f"order {number}",
        status=Status.NEW,
        reason=None,
        idempotency_key=None,
        cancel_requested_at=None,
        ask_again_at=LATER,
        created_at=NOW,
        updated_at=NOW,
    )
    return replace(placed, **values)


def decided(*orders: Order) -> list[PaymentResult]:
    return [PaymentCaptured(order_id=order.id, user_id=order.user_id, traceparent="") for order in orders]


async def add(world: World, *orders: Order) -> None:
    """In a transaction of its own."""
    async with world.uow() as uow:
        await world.orders(uow).add(orders)


async def add_first(world: World, uow: UnitOfWork, *orders: Order) -> None:
    """In a transaction that goes on: what is only written might wait for its end."""
    await world.orders(uow).add(orders)
    assert (await world.orders(uow).lock(decided(*orders))).keys() == {order.id for order in orders}


async def there(world: World) -> list[UUID]:
    """The ids of all orders."""
    return [order.id for order in await world.placed().page(user_id=None, status=None, after=None, limit=500)]


async def cancel(world: World, *orders: Order, reason: str = "reason") -> None:
    """Cancels those of these orders that exist, in a transaction of its own."""
    async with world.uow() as uow:
        locked = await world.orders(uow).lock(decided(*orders))
        for found in locked.values():
            found.status, found.reason, found.updated_at = Status.CANCELLED, reason, LATER
        await world.orders(uow).save(list(locked.values()))


def changed(number: int, sequence: int, user_id: str = "ada") -> StatusChanged:
    return StatusChanged(
        user_id=user_id,
        order_id=UUID(int=number),
        sequence=sequence,
        status=Status.NEW if sequence == 1 else Status.CANCELLED,
        reason=None if sequence == 1 else "reason",
        at=NOW,
    )


async def record(world: World, *changes: StatusChanged) -> None:
    """In a transaction of its own."""
    async with world.uow() as uow:
        await world.history(uow).add(changes)
