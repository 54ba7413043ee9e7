from dataclasses import dataclass
from functools import partial
from uuid import UUID

from gateway.application.until_known import until_known
from gateway.ports.orders import OrdersService
from kernel.ports.clock import Clock
from kernel.ports.http_answer import HttpAnswer


@dataclass
class CancelOrders:
    """Cancels an order. Cancelling is idempotent, so the call is repeated until its outcome is known."""

    orders: OrdersService
    clock: Clock

    async def __call__(self, order_id: UUID) -> HttpAnswer:
        """Raises Unavailable if nothing was done, OutcomeUnknown if the outcome stayed unknown for 10 s."""
        return await until_known(partial(self.orders.cancel, order_id), self.clock)
