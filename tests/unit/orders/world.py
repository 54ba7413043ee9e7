"""The use cases of orders over adapters in memory, made anew for each call as wiring does it."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from kernel.domain.caller import ANYONE
from kernel.domain.errors import Refused, ShopError
from kernel.domain.events import MessageId, Received, Unhandled
from kernel.ports.outbox import OutboxRow
from orders import wire
from orders.domain.commands import CancelOrder, Placement
from orders.domain.events import PaymentResult
from orders.domain.order import Cancelled, Order, OrderStatusChanged, Placed
from orders.domain.status import StatusChanged
from tests.assembly import OrdersInMemory
from tests.builders import TRACE
from tests.memory.clock import MemoryClock
from tests.memory.database import MemoryDatabase
from tests.memory.orders import ORDER_HISTORY, ORDERS
from tests.memory.outbox import OUTBOX
from tests.unit.clock import id_of
from tests.unit.waiting import waiting_in


class OrdersWorld:
    """`reasons` are what speaks against orders of these users; `meanwhile` runs while payments is asked."""

    def __init__(self, *, pay_within: timedelta | None = None, **reasons: str) -> None:
        self.database = MemoryDatabase()
        self.clock = MemoryClock()
        self.committed: list[OutboxRow] = []
        self.asked: list[list[Placement]] = []
        self.meanwhile: Callable[[], Any] | None = None
        self.reasons = reasons
        self.changes: list[OrderStatusChanged] = []
        self.service = OrdersInMemory(self.database, self.clock, self.committed.append)
        self.service.admission, self.service.notify = self, self.notify
        self.service.pay_within = pay_within

    async def place(self, *commands: Placement) -> list[Placed | Refused]:
        return await self.service.place_orders(commands)

    async def cancel(self, *numbers: int, user_id: str = "alice") -> list[Cancelled | ShopError]:
        return await self.service.cancel_orders(
            [
                CancelOrder(order_id=id_of(n), caller=ANYONE, user_id=user_id, traceparent=TRACE)
                for n in numbers
            ]
        )

    async def ask_again(self) -> list[int]:
        """The numbers of the orders that were asked about, as `order` gave them."""
        waiting = self.outbox()
        await self.service.ask_again()
        requests = [request for request in self.outbox() if request not in waiting]
        numbers = {str(id_of(number)): number for number in range(1000)}
        return [numbers[request["subject"]] for request in requests]

    def published(self) -> None:
        """The relay took everything, and whoever listens was notified."""
        self.database.tables[OUTBOX].clear()
        self.changes.clear()

    async def settle(self, *decisions: PaymentResult, first_message: int = 1) -> list[Unhandled]:
        return await self.service.settle_orders(
            [
                Received(MessageId("/shop/payments", str(number)), "", decided, b"", again=True)
                for number, decided in enumerate(decisions, first_message)
            ]
        )

    async def check(self, commands: Sequence[Placement]) -> Sequence[Refused | None]:
        self.asked.append(list(commands))
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            await meanwhile()
        return [
            Refused(self.reasons[command.user_id], "") if command.user_id in self.reasons else None
            for command in commands
        ]

    def notify(self, changes: Sequence[OrderStatusChanged]) -> None:
        self.changes += changes

    def orders(self) -> list[Order]:
        return sorted(self.database.rows(ORDERS), key=lambda order: order.id)

    def history(self) -> list[StatusChanged]:
        return sorted(self.database.rows(ORDER_HISTORY), key=lambda row: (row.order_id, row.sequence))

    def outbox(self) -> list[dict[str, Any]]:
        """The events for payments."""
        return waiting_in(self.database)

    def notified(self) -> list[tuple[str, int, str]]:
        """The order, the number and the status of each change that whoever listens is notified of."""
        encoded = [wire.encode(change, id_of(0), self.clock.now())[1] for change in self.changes]
        notified = [json.loads(event)["data"] for event in encoded]
        return [(data["orderId"], data["sequence"], data["order"]["status"]) for data in notified]


def order(
    number: int,
    *,
    user_id: str = "alice",
    amount: int = 1000,
    key: str | None = None,
    pay_by: datetime | None = None,
) -> Placement:
    return Placement(
        order_id=id_of(number),
        caller=ANYONE,
        user_id=user_id,
        amount=amount,
        description="a book",
        idempotency_key=key,
        pay_by=pay_by,
        traceparent=TRACE,
    )
