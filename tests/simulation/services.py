"""The real use cases of one process, put together as in the `wiring.py` of its service."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from kernel.application.housekeeping import Periodically
from kernel.domain.events import Event, Unhandled
from kernel.ports.outbox import Outbox
from kernel.serving import Background
from orders import wire as orders_wire
from orders.adapters.outbound.memory import MemoryAdmission, MemoryPlacedOrders
from orders.application.ask_again import AskAgain
from orders.domain.order import OrderStatusChanged
from orders.main import ASK_AGAIN_EVERY_S
from payments import wire as payments_wire
from payments.adapters.outbound.memory import (
    MemoryOpenedAccounts,
)
from payments.application.admit_orders import AdmitOrders
from payments.application.open_accounts import OpenAccounts
from tests.simulation.loop import SimClock
from tests.simulation.process import Process, SimUnitOfWork
from tests.simulation.service import Service, World

CURRENCY = "RUB"


class OrdersService(Service):
    name = "orders"
    encode = staticmethod(orders_wire.encode)

    def __init__(self, world: World, process: Process, clock: SimClock) -> None:
        super().__init__(world, process, clock)
        self._placed = self.port("placed", MemoryPlacedOrders(self._database))
        self._admission = MemoryAdmission(self._ask_payments, clock)
        self.place = self.group(self._place, partial(self._place, judged=True))
        self.cancel = self.group(self._cancel)
        self.handle = self.consumer(self.parts.decode_orders_facts, self._settle)

    async def _ask_payments(self, orders: Sequence[tuple[str, int]]) -> Sequence[str | None]:
        return await self._process.call("admission.judge", partial(self._world.admission, orders))

    async def _place(self, commands: Sequence[Any], **judged: bool) -> Any:
        uow = self.uow()
        place_orders = self.parts.place_orders(
            uow,
            self.port("orders", self.parts.orders(uow), uow),
            self.port("history", self.parts.history(uow), uow),
            self._placed,
            self.outbox(uow),
            self._admission,
            self.clock,
            CURRENCY,
        )
        return await place_orders(commands, **judged)

    async def _cancel(self, commands: Sequence[Any]) -> Any:
        uow = self.uow()
        orders = self.port("orders", self.parts.orders(uow), uow)
        history = self.port("history", self.parts.history(uow), uow)
        outbox = self.outbox(uow)
        return await self.parts.cancel_orders(uow, orders, history, outbox, self._tell, self.clock)(commands)

    async def _settle(self, received: Sequence[Any]) -> list[Unhandled]:
        uow = self.uow()
        orders = self.port("orders", self.parts.orders(uow), uow)
        history = self.port("history", self.parts.history(uow), uow)
        settle_orders = self.parts.settle_orders(
            uow, self.inbox(uow), self.parked(uow), orders, history, self._tell, self.clock
        )
        return list(await settle_orders(received))

    def _tell(self, changes: Sequence[OrderStatusChanged]) -> None:
        """Nobody listens."""

    async def _ask_again(self) -> bool:
        uow = self.uow()
        orders = self.port("orders", self.parts.orders(uow), uow)
        outbox = CountedOutbox(self.outbox(uow), self._world.asked)
        return await AskAgain(uow, orders, outbox, self.backlog(uow), self.clock)()

    def jobs(self) -> list[Background]:
        asking = [Periodically(self._ask_again, ASK_AGAIN_EVERY_S, self.clock)]
        return super().jobs() + (asking if self._world.ask_again else [])


class CountedOutbox:
    def __init__(self, outbox: Outbox[Any], count: Callable[[int], None]) -> None:
        self._outbox = outbox
        self._count = count

    async def add(self, events: Sequence[Event]) -> None:
        self._count(len(events))
        await self._outbox.add(events)


class PaymentsService(Service):
    name = "payments"
    encode = staticmethod(payments_wire.encode)

    def __init__(self, world: World, process: Process, clock: SimClock) -> None:
        super().__init__(world, process, clock)
        self.open = self.group(self._open)
        self.deposit = self.group(self._deposit)
        self.handle = self.consumer(self.parts.decode_payments_facts, self._charge)

    def _accounts(self, uow: SimUnitOfWork) -> Any:
        return self.port("accounts", self.parts.accounts(uow), uow)

    async def admit(self, orders: Sequence[tuple[str, int]]) -> Sequence[str | None]:
        return await AdmitOrders(self.port("opened", MemoryOpenedAccounts(self._database)))(orders)

    async def _open(self, commands: Sequence[Any]) -> Any:
        uow = self.uow()
        return await OpenAccounts(uow, self._accounts(uow), self.clock, CURRENCY)(commands)

    async def _deposit(self, commands: Sequence[Any]) -> Any:
        uow = self.uow()
        ledger = self.port("ledger", self.parts.ledger(uow), uow)
        return await self.parts.make_deposits(uow, self._accounts(uow), ledger, self.clock)(commands)

    async def _charge(self, received: Sequence[Any]) -> list[Unhandled]:
        uow = self.uow()
        charge_orders = self.parts.charge_orders(
            uow,
            self.inbox(uow),
            self.parked(uow),
            self._accounts(uow),
            self.port("ledger", self.parts.ledger(uow), uow),
            self.port("payments", self.parts.payments(uow), uow),
            self.outbox(uow),
            self.clock,
        )
        return list(await charge_orders(received))


SERVICES: dict[str, type[Service]] = {"orders": OrdersService, "payments": PaymentsService}
