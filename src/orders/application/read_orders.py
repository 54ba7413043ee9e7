from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from kernel.domain.caller import Caller
from kernel.domain.errors import Forbidden, NotFound
from orders.domain.order import Order
from orders.domain.status import Status, StatusChanged
from orders.ports.orders import ReadableOrders


@dataclass
class ReadOrders:
    """Reads orders for callers. For another user's order raises NotFound, as if it did not exist."""

    placed: ReadableOrders

    async def get(self, caller: Caller, order_id: UUID) -> Order:
        order = await self.placed.get(order_id)
        if order is None or not caller.may_see(order.user_id):
            raise no_order(order_id)
        return order

    async def history(self, caller: Caller, order_id: UUID, *, after: int) -> Sequence[StatusChanged]:
        """The order's changes with a sequence above `after`. Raises NotFound."""
        await self.get(caller, order_id)
        return await self.placed.history(order_id, after=after)

    async def page(
        self, caller: Caller, *, user_id: str | None, status: Status | None, after: UUID | None, limit: int
    ) -> Sequence[Order]:
        """Without `user_id`: all orders that the caller may see. Raises Forbidden for another user's id."""
        if user_id is None and not caller.may_see_all:
            user_id = caller.id
        if user_id is not None and not caller.may_see(user_id):
            raise Forbidden()
        return await self.placed.page(user_id=user_id, status=status, after=after, limit=limit)

    async def status_histories(
        self, caller: Caller, order_ids: Sequence[UUID]
    ) -> Sequence[Sequence[Order] | None]:
        """For each id, the order as it was after each of its changes. Empty if there is no such order; None
        if the order cannot be read now. Raises Forbidden unless the caller is a service."""
        caller.require_service()
        found = await self.placed.status_histories(order_ids)
        return [found.get(order_id, []) for order_id in order_ids]


def no_order(order_id: UUID) -> NotFound:
    return NotFound("order_not_found", f"there is no order {order_id}")
