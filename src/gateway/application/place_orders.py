from collections.abc import Awaitable, Callable, Sequence

from gateway.domain.orders import Fate, PlaceOrder
from kernel.application.group_commit import GroupCommit
from kernel.ports.clock import Clock

BATCH_SIZE_MAX = 200
CALLS_IN_FLIGHT_MAX = 2


class PlaceOrders:
    """Joins the orders of many callers into few calls of the orders service, and hands each its own fate."""

    def __init__(
        self, place: Callable[[Sequence[PlaceOrder]], Awaitable[Sequence[Fate]]], clock: Clock
    ) -> None:
        """`place` is that of an OrdersService."""
        self._group = GroupCommit[PlaceOrder, Fate](
            place, clock, batch_size_max=BATCH_SIZE_MAX, in_flight_max=CALLS_IN_FLIGHT_MAX
        )

    async def __call__(self, orders: Sequence[PlaceOrder]) -> Sequence[Fate | Exception]:
        """One fate an order, in order, within 10 s. Raises Unavailable (`overloaded`) when too many wait."""
        return await self._group.submit(orders)
