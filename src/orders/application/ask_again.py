from dataclasses import dataclass
from datetime import datetime, timedelta

from kernel.domain.events import new_trace
from kernel.ports.clock import Clock
from kernel.ports.outbox import Backlog, Outbox
from kernel.ports.unit_of_work import UnitOfWork
from orders.domain.events import PaymentRequest
from orders.ports.orders import Orders

COUNT_MAX = 500
BACKLOG_AGE_MAX = timedelta(seconds=1)


@dataclass
class AskAgain:
    """Repeats the requests of overdue orders to payments, so that no loss leaves an order undecided.

    Nothing is repeated while events older than `BACKLOG_AGE_MAX` wait in the outbox to be published.
    """

    uow: UnitOfWork
    orders: Orders
    outbox: Outbox[PaymentRequest]
    backlog: Backlog
    clock: Clock

    async def __call__(self) -> bool:
        """Handles one batch. Returns False, so that payments gets the next batch at the next turn."""
        now = self.clock.now()
        async with self.uow:
            overdue = await self.orders.overdue(now, count_max=COUNT_MAX)
            if overdue and not await self._is_late(now):
                requests = [order.ask_again(new_trace(self.clock.new_id()), now) for order in overdue]
                await self.orders.save(overdue)
                await self.outbox.add(requests)
        return False

    async def _is_late(self, now: datetime) -> bool:
        """Whether events wait in the outbox for longer than a relay needs."""
        since = await self.backlog.waiting_since()
        return since is not None and now - since >= BACKLOG_AGE_MAX
