from collections.abc import Sequence
from dataclasses import dataclass

from kernel.domain.errors import NotFound
from kernel.domain.events import Received, Unhandled
from kernel.ports.clock import Clock
from kernel.ports.inbox import Inbox
from kernel.ports.parked import ParkedMessages
from kernel.ports.unit_of_work import UnitOfWork
from orders.domain.events import PaymentResult
from orders.domain.order import OrderStatusChanged, find_order
from orders.domain.status import StatusChanged
from orders.ports.listeners import NotifyListeners
from orders.ports.orders import History, Orders


@dataclass
class SettleOrders:
    """Applies each decision of payments to its order once, and notifies listeners."""

    uow: UnitOfWork
    inbox: Inbox
    parked: ParkedMessages
    orders: Orders
    history: History
    notify_listeners: NotifyListeners
    clock: Clock

    async def __call__(self, received: Sequence[Received[PaymentResult]]) -> list[Unhandled]:
        """Parks the decisions about orders that do not exist, and returns them."""
        async with self.uow:
            fresh = await self.inbox.claim(received)
            orders = await self.orders.lock([item.fact for item in fresh])
            now = self.clock.now()
            changes: list[StatusChanged] = []
            notifications: list[OrderStatusChanged] = []
            unhandled = []
            for item in fresh:
                decided = item.fact
                order = find_order(orders, decided)
                if isinstance(order, NotFound):
                    unhandled.append(item.unhandled(order.code, order.detail))
                    continue
                changed = order.settle(decided, now)
                changes += changed
                notifications += order.notifications(changed, decided.traceparent, decided.request_id)
            if unhandled:
                await self.parked.add(unhandled)
            await self.orders.save([orders[change.order_id] for change in changes])
            await self.history.add(changes)
        self.notify_listeners(notifications)
        return unhandled
