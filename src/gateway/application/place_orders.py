from collections.abc import Awaitable, Callable, Sequence

from gateway.domain.orders import Outcome, PlacementRequest, after_a_lost_answer
from kernel.application.group_commit import GroupCommit
from kernel.application.ownership import for_own_users
from kernel.ports.clock import Clock

BATCH_SIZE_MAX = 200
CALLS_IN_FLIGHT_MAX = 2


class PlaceOrders:
    """Joins the orders of many callers into few calls of the orders service. Each order gets an outcome."""

    def __init__(
        self,
        place: Callable[[Sequence[PlacementRequest]], Awaitable[Sequence[Outcome]]],
        clock: Clock,
        kind_of: Callable[[PlacementRequest], int] | None = None,
    ) -> None:
        """`place` is the method of an OrdersService. `kind_of` returns the kind of an order. Without it, all
        orders have one kind. A call whose orders have one kind is cheaper (GroupCommit)."""
        self._place = place
        self._group = GroupCommit[PlacementRequest, Outcome](
            place,
            clock,
            repeat=self._place_again,
            batch_size_max=BATCH_SIZE_MAX,
            in_flight_max=CALLS_IN_FLIGHT_MAX,
            kind_of=kind_of,
        )

    async def __call__(self, orders: Sequence[PlacementRequest]) -> Sequence[Outcome | Exception]:
        """One outcome per order, in the same order, within 10 s. Raises Unavailable if too many wait."""
        return await for_own_users(orders, self._group.submit)

    async def _place_again(self, orders: Sequence[PlacementRequest]) -> Sequence[Outcome | Exception]:
        return [after_a_lost_answer(outcome) for outcome in await self._place(orders)]
