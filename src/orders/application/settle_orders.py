from collections.abc import Sequence

from kernel.domain.events import Received, Unhandled
from kernel.ports.clock import Clock
from kernel.ports.inbox import Inbox
from kernel.ports.parked import ParkedMessages
from kernel.ports.unit_of_work import UnitOfWork
from orders.domain.events import PaymentResult
from orders.domain.order import OrderStatusChanged
from orders.domain.status import StatusChanged
from orders.ports.listeners import NotifyListeners
from orders.ports.orders import History, Orders


class SettleOrders:
    """Payments decided: each order is finished or cancelled, once, and whoever listens is notified."""

    def __init__(
        self,
        uow: UnitOfWork,
        inbox: Inbox,
        parked: ParkedMessages,
        orders: Orders,
        history: History,
        notify_listeners: NotifyListeners,
        clock: Clock,
    ) -> None:
        self.uow = uow
        self.inbox = inbox
        self.parked = parked
        self.orders = orders
        self.history = history
        self.notify_listeners = notify_listeners
        self.clock = clock

    async def __call__(self, received: Sequence[Received[PaymentResult]]) -> list[Unhandled]:
        """Settles the orders. Parks, and returns, the decisions about orders that are not there."""
        async with self.uow:
            fresh = await self.inbox.claim(received)
            orders = await self.orders.lock([item.fact for item in fresh])
            now = self.clock.now()
            changes: list[StatusChanged] = []
            notifications: list[OrderStatusChanged] = []
            unhandled = []
            for item in fresh:
                decided = item.fact
                order = orders.get(decided.order_id)
                if order is None or order.user_id != decided.user_id:
                    detail = f"there is no order {decided.order_id} of this user"
                    unhandled.append(item.unhandled("order_not_found", detail))
                    continue
                changed = order.settle(decided, now)
                changes += changed
                notifications += [
                    order.notification(change, decided.traceparent, decided.request_id) for change in changed
                ]
            if unhandled:
                await self.parked.add(unhandled)
            await self.orders.save([orders[change.order_id] for change in changes])
            await self.history.add(changes)
        self.notify_listeners(notifications)
        return unhandled
