from collections.abc import Sequence

from kernel.domain.errors import NotFound
from kernel.domain.events import Received
from kernel.ports.clock import Clock
from kernel.ports.inbox import Inbox
from kernel.ports.unit_of_work import UnitOfWork
from orders.domain.events import PaymentDecided
from orders.ports.listeners import TellListeners
from orders.ports.orders import History, Orders


class SettleOrders:
    """Payments decided: each order is finished or cancelled, once, and whoever listens is told."""

    def __init__(
        self,
        uow: UnitOfWork,
        inbox: Inbox,
        orders: Orders,
        history: History,
        tell_listeners: TellListeners,
        clock: Clock,
    ) -> None:
        self.uow = uow
        self.inbox = inbox
        self.orders = orders
        self.history = history
        self.tell_listeners = tell_listeners
        self.clock = clock

    async def __call__(self, received: Sequence[Received[PaymentDecided]]) -> None:
        """Raises NotFound (`order_not_found`) when an order of the batch is not there."""
        async with self.uow:
            decisions = await self.inbox.claim(received)
            orders = await self.orders.lock(decisions)
            now = self.clock.now()
            changes = []
            told = []
            for decided in decisions:
                order = orders.get(decided.order_id)
                if order is None or order.user_id != decided.user_id:
                    raise NotFound("order_not_found", f"there is no order {decided.order_id} of this user")
                changed = order.settle(decided, now)
                changes += changed
                told += [order.told(change, decided.traceparent, decided.request_id) for change in changed]
            await self.orders.save([orders[change.order_id] for change in changes])
            await self.history.add(changes)
        self.tell_listeners(told)
