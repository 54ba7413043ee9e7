"""The two services of the simulated shop: their use cases behind a group commit, a consumer, or a job."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from kernel.application.housekeeping import Periodically
from kernel.domain.events import Event
from kernel.ports.outbox import Outbox
from kernel.serving import Background
from orders.main import ASK_AGAIN_EVERY_S
from tests.assembly import OrdersInMemory, PaymentsInMemory
from tests.memory.database import MemoryDatabase
from tests.memory.orders import MemoryAdmission
from tests.simulation.loop import SimClock
from tests.simulation.process import Process, SimUnitOfWork
from tests.simulation.service import AroundService, Service


class OrdersService(Service, OrdersInMemory):
    name = "orders"
    groups = ("place", "cancel")

    def __init__(
        self, world: AroundService, process: Process, clock: SimClock, database: MemoryDatabase
    ) -> None:
        super().__init__(world, process, clock, database)
        self.admission = MemoryAdmission(self._ask_payments, clock)
        self.place = self.group(self.place_orders, repeat=partial(self.place_orders, checked=True))
        self.cancel = self.group(self.cancel_orders)
        self.handle = self.consumer(self.parts.decode_orders_facts, self.settle_orders)

    async def _ask_payments(self, orders: Sequence[tuple[str, int]]) -> Sequence[str | None]:
        return await self._process.call("admission.check", partial(self._world.admission, orders))

    def request_outbox(self, uow: SimUnitOfWork) -> Any:
        return CountedOutbox(super().request_outbox(uow), self._world.asked)

    def jobs(self) -> list[Background]:
        asking = [Periodically(self.ask_again, ASK_AGAIN_EVERY_S, self.clock)]
        return super().jobs() + (asking if self._world.ask_again else [])


class CountedOutbox:
    def __init__(self, outbox: Outbox[Any], count: Callable[[int], None]) -> None:
        self._outbox = outbox
        self._count = count

    async def add(self, events: Sequence[Event]) -> None:
        self._count(len(events))
        await self._outbox.add(events)


class PaymentsService(Service, PaymentsInMemory):
    name = "payments"
    groups = ("open", "deposit", "freeze", "correct")

    def __init__(
        self, world: AroundService, process: Process, clock: SimClock, database: MemoryDatabase
    ) -> None:
        super().__init__(world, process, clock, database)
        self.open = self.group(self.open_accounts)
        self.deposit = self.group(self.make_deposits)
        self.freeze = self.group(self.freeze_accounts, batch_size_max=1)
        self.correct = self.group(self.correct_accounts, batch_size_max=1)
        self.handle = self.consumer(self.parts.decode_payments_facts, self.charge_orders)


SERVICES: dict[str, type[Service]] = {"orders": OrdersService, "payments": PaymentsService}
