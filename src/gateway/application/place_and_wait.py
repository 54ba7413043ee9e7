import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.application.hub import Hub
from gateway.application.place_orders import PlaceOrders
from gateway.domain.orders import Change, Outcome, Placed, PlacementRequest, Waited
from kernel.domain.errors import ShopError

# Returns once the client has left.
Left = Callable[[], Awaitable[None]]

logger = logging.getLogger(__name__)


@dataclass
class PlaceAndWait:
    """Places an order, and waits until it is decided."""

    place_orders: PlaceOrders
    hub: Hub

    async def __call__(
        self, order: PlacementRequest, *, within_s: float, left: Left
    ) -> Waited | Outcome | Exception:
        """Returns Waited once the order is decided, the time is over, or the client has left. Any other
        result means that the order was not placed, or that the wait was not possible."""
        await self.hub.listen()
        (outcome,) = await self.place_orders([order])
        if not isinstance(outcome, Placed):
            return outcome
        try:
            decided = None if outcome.decided else await self._decided(outcome, within_s, left)
        except ShopError as error:  # The order is placed, although the wait failed.
            logger.warning("a preference to wait was not applied: %s", error)
            return outcome
        return Waited(outcome.as_of(decided) if decided else outcome)

    async def _decided(self, placed: Placed, within_s: float, left: Left) -> Change | None:
        waiting = asyncio.ensure_future(self.hub.decided(placed, within_s=within_s))
        leaving = asyncio.ensure_future(left())
        try:
            await asyncio.wait((waiting, leaving), return_when=asyncio.FIRST_COMPLETED)
            return waiting.result() if waiting.done() else None
        finally:
            waiting.cancel()
            leaving.cancel()
