from dataclasses import dataclass
from functools import partial
from uuid import UUID

from gateway.application.until_known import until_known
from gateway.ports.orders import OrdersService
from kernel.ports.clock import Clock
from kernel.ports.http_answer import HttpAnswer


@dataclass
class CancelOrders:
    """Cancelling twice is cancelling once, so it is asked for until it is known what became of it."""

    orders: OrdersService
    clock: Clock

    async def __call__(self, order_id: UUID) -> HttpAnswer:
        """Raises Unavailable where nothing was done, OutcomeUnknown where that stayed unknown for 10 s."""
        return await until_known(partial(self.orders.cancel, order_id), self.clock)
