from collections.abc import Awaitable, Callable, Sequence

from gateway.domain.orders import Fate, PlaceOrder, Rejected
from kernel.application.group_commit import GroupCommit
from kernel.domain.errors import OutcomeUnknown
from kernel.ports.clock import Clock

BATCH_SIZE_MAX = 200
CALLS_IN_FLIGHT_MAX = 2


class PlaceOrders:
    """Joins the orders of many callers into few calls of the orders service, and hands each its own fate."""

    def __init__(
        self, place: Callable[[Sequence[PlaceOrder]], Awaitable[Sequence[Fate]]], clock: Clock
    ) -> None:
        """`place` is that of an OrdersService."""
        self._place = place
        self._group = GroupCommit[PlaceOrder, Fate](
            place,
            clock,
            repeat=self._place_again,
            batch_size_max=BATCH_SIZE_MAX,
            in_flight_max=CALLS_IN_FLIGHT_MAX,
        )

    async def __call__(self, orders: Sequence[PlaceOrder]) -> Sequence[Fate | Exception]:
        """One fate an order, in order, within 10 s. Raises Unavailable (`overloaded`) when too many wait."""
        return await self._group.submit(orders)

    async def _place_again(self, orders: Sequence[PlaceOrder]) -> Sequence[Fate | Exception]:
        """A refusal says that nothing happened, but the call whose answer was lost may still be at work on a
        replica that stalled, and store the order when it goes on."""
        return [_unless_refused(fate) for fate in await self._place(orders)]


def _unless_refused(fate: Fate) -> Fate | OutcomeUnknown:
    return OutcomeUnknown("the answer to the order was lost") if isinstance(fate, Rejected) else fate
