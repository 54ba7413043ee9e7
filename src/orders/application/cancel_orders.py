from collections.abc import Sequence
from dataclasses import dataclass

from kernel.application.ownership import for_own_users
from kernel.domain.acts import acts_of_operators
from kernel.domain.errors import NotFound, ShopError
from kernel.ports.clock import Clock
from kernel.ports.operator_record import OperatorRecord
from kernel.ports.outbox import Outbox
from kernel.ports.unit_of_work import UnitOfWork
from orders.domain.commands import CancelOrder
from orders.domain.events import PaymentRequest
from orders.domain.order import Cancelled, find_order
from orders.ports.listeners import NotifyListeners
from orders.ports.orders import History, Orders


@dataclass
class CancelOrders:
    """Cancels orders: asks payments, once for each order, to void or to refund the payment."""

    uow: UnitOfWork
    orders: Orders
    history: History
    outbox: Outbox[PaymentRequest]
    record: OperatorRecord
    notify_listeners: NotifyListeners
    clock: Clock

    async def __call__(self, commands: Sequence[CancelOrder]) -> list[Cancelled | ShopError]:
        """One outcome for each command, in the same order."""
        return await for_own_users(commands, self._cancel)

    async def _cancel(self, commands: Sequence[CancelOrder]) -> list[Cancelled | ShopError]:
        outcomes: list[Cancelled | ShopError] = []
        async with self.uow:
            orders = await self.orders.lock(commands)
            now = self.clock.now()
            for command in commands:
                order = find_order(orders, command)
                if isinstance(order, NotFound):
                    outcomes.append(order)
                else:
                    outcomes.append(order.cancel(command.traceparent, now, command.request_id))
            given = zip(commands, outcomes, strict=True)
            done = [(c, outcome) for c, outcome in given if isinstance(outcome, Cancelled) and outcome.events]
            new = [cancelled for _, cancelled in done]
            await self.orders.save([cancelled.order for cancelled in new])
            await self.history.add([change for cancelled in new for change in cancelled.changes])
            await self.outbox.add([event for cancelled in new for event in cancelled.events])
            cancelled_orders = ((command, command.order_id) for command, _ in done)
            acts = acts_of_operators("cancel_order", cancelled_orders, now, lambda command: command.note)
            await self.record.add(acts)
        self.notify_listeners([change for cancelled in new for change in cancelled.notifications])
        return outcomes
