from functools import partial
from uuid import UUID

from gateway.application.until_known import until_known
from gateway.ports.orders import OrdersService
from kernel.ports.clock import Clock
from kernel.ports.http_answer import HttpAnswer


class CancelOrders:
    """Cancelling twice is cancelling once, so it is asked for until it is known what became of it."""

    def __init__(self, orders: OrdersService, clock: Clock) -> None:
        self.orders = orders
        self.clock = clock

    async def __call__(self, order_id: UUID, *, traceparent: str) -> HttpAnswer:
        """Raises Unavailable where nothing was done, OutcomeUnknown where that stayed unknown for 10 s."""
        return await until_known(partial(self.orders.cancel, order_id, traceparent=traceparent), self.clock)
