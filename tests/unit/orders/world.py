"""The use cases of orders over adapters in memory, made anew for each call as wiring does it."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from kernel.adapters.memory.clock import MemoryClock
from kernel.adapters.memory.database import MemoryDatabase
from kernel.adapters.memory.inbox import MemoryInbox
from kernel.adapters.memory.outbox import OUTBOX, MemoryBacklog, MemoryOutbox
from kernel.adapters.memory.parked import MemoryParkedMessages
from kernel.adapters.memory.unit_of_work import MemoryUnitOfWork
from kernel.domain.errors import Refused, ShopError
from kernel.domain.events import MessageId, Received, Unhandled
from kernel.ports.outbox import Joined
from orders import wire
from orders.adapters.outbound.memory import (
    ORDER_HISTORY,
    ORDERS,
    MemoryHistory,
    MemoryOrders,
    MemoryPlacedOrders,
)
from orders.application.ask_again import AskAgain
from orders.application.cancel_orders import CancelOrders
from orders.application.place_orders import PlaceOrders
from orders.application.settle_orders import SettleOrders
from orders.domain.events import PaymentDecided
from orders.domain.order import (
    Cancelled,
    CancelOrder,
    Order,
    OrderStatusChanged,
    Placed,
    PlaceOrder,
    StatusChanged,
)
from tests.unit.clock import id_of
from tests.unit.waiting import waiting_in

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


class World:
    """`reasons` are what speaks against orders of these users; `meanwhile` runs while payments is asked.

    Reads see `readable`, which is the database unless a test says otherwise.
    """

    def __init__(self, **reasons: str) -> None:
        self.database = self.readable = MemoryDatabase()
        self.clock = MemoryClock()
        self.committed: list[Joined] = []
        self.asked: list[list[PlaceOrder]] = []
        self.meanwhile: Callable[[], Any] | None = None
        self.reasons = reasons
        self.changes: list[OrderStatusChanged] = []

    async def place(self, *commands: PlaceOrder) -> list[Placed | Refused]:
        uow = MemoryUnitOfWork(self.database)
        place_orders = PlaceOrders(
            uow,
            MemoryOrders(uow),
            MemoryHistory(uow),
            MemoryPlacedOrders(self.readable),
            MemoryOutbox(uow, self.clock, wire.encode, self.committed.append),
            self,
            self.clock,
            "RUB",
        )
        return await place_orders(commands)

    async def cancel(self, *numbers: int, user_id: str = "alice") -> list[Cancelled | ShopError]:
        uow = MemoryUnitOfWork(self.database)
        outbox = MemoryOutbox(uow, self.clock, wire.encode, self.committed.append)
        cancel_orders = CancelOrders(
            uow, MemoryOrders(uow), MemoryHistory(uow), outbox, self.tell, self.clock
        )
        return await cancel_orders(
            [CancelOrder(order_id=id_of(n), user_id=user_id, traceparent=TRACE) for n in numbers]
        )

    async def ask_again(self) -> list[int]:
        """The numbers of the orders that were asked about, as `order` gave them."""
        uow = MemoryUnitOfWork(self.database)
        outbox = MemoryOutbox(uow, self.clock, wire.encode, self.committed.append)
        waiting = self.outbox()
        await AskAgain(uow, MemoryOrders(uow), outbox, MemoryBacklog(uow), self.clock)()
        questions = [question for question in self.outbox() if question not in waiting]
        numbers = {str(id_of(number)): number for number in range(1000)}
        return [numbers[question["subject"]] for question in questions]

    def published(self) -> None:
        """The relay took everything, and whoever listens was told."""
        self.database.tables[OUTBOX].clear()
        self.changes.clear()

    async def settle(self, *decisions: PaymentDecided, first_message: int = 1) -> list[Unhandled]:
        uow = MemoryUnitOfWork(self.database)
        settle_orders = SettleOrders(
            uow,
            MemoryInbox(uow, self.clock),
            MemoryParkedMessages(uow, self.clock),
            MemoryOrders(uow),
            MemoryHistory(uow),
            self.tell,
            self.clock,
        )
        return await settle_orders(
            [
                Received(MessageId("/shop/payments", str(number)), "", decided, b"", again=True)
                for number, decided in enumerate(decisions, first_message)
            ]
        )

    async def judge(self, commands: Sequence[PlaceOrder]) -> Sequence[Refused | None]:
        self.asked.append(list(commands))
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            await meanwhile()
        return [
            Refused(self.reasons[command.user_id], "") if command.user_id in self.reasons else None
            for command in commands
        ]

    def tell(self, changes: Sequence[OrderStatusChanged]) -> None:
        self.changes += changes

    def orders(self) -> list[Order]:
        return sorted(self.database.rows(ORDERS), key=lambda order: order.id)

    def history(self) -> list[StatusChanged]:
        return sorted(self.database.rows(ORDER_HISTORY), key=lambda row: (row.order_id, row.sequence))

    def outbox(self) -> list[dict[str, Any]]:
        """What payments must get."""
        return waiting_in(self.database)

    def notified(self) -> list[tuple[str, int, str]]:
        """The order, the number and the status of each change that whoever listens is told."""
        encoded = [wire.encode(told, id_of(0), self.clock.now())[1] for told in self.changes]
        notified = [json.loads(event)["data"] for event in encoded]
        return [(data["orderId"], data["sequence"], data["order"]["status"]) for data in notified]


def order(number: int, *, user_id: str = "alice", amount: int = 1000, key: str | None = None) -> PlaceOrder:
    return PlaceOrder(
        order_id=id_of(number),
        user_id=user_id,
        amount=amount,
        description="a book",
        idempotency_key=key,
        traceparent=TRACE,
    )
