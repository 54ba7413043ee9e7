from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from kernel.application.ownership import for_own_users
from kernel.domain.acts import acts_of_operators
from kernel.domain.errors import Contention, Refused, ShopError
from kernel.ports.clock import Clock
from kernel.ports.operator_record import OperatorRecord
from kernel.ports.outbox import Outbox
from kernel.ports.unit_of_work import UnitOfWork
from orders.domain.commands import Identity, Placement
from orders.domain.events import PaymentRequest
from orders.domain.order import Order, Placed
from orders.domain.placing import expired, outcome
from orders.ports.admission import Admission
from orders.ports.orders import History, Orders, PlacedOrders


@dataclass
class PlaceOrders:
    """Accepts orders and starts their payment, once for each idempotency key. Refused orders are not stored.

    `pay_within` is the time to pay for orders without `pay_by`. If None, there is no limit.
    """

    uow: UnitOfWork
    orders: Orders
    history: History
    placed: PlacedOrders
    outbox: Outbox[PaymentRequest]
    record: OperatorRecord
    admission: Admission
    clock: Clock
    currency: str
    pay_within: timedelta | None = None

    async def __call__(
        self, commands: Sequence[Placement], *, checked: bool = False
    ) -> list[Placed | ShopError]:
        """One outcome for each command, in the same order.

        With `checked`, the call repeats an attempt whose outcome was lost. Commands are not checked again: if
        orders of the lost attempt were charged, the balance is already lower. Adding the orders waits for
        the lost attempt, and finds its orders.
        """
        return await for_own_users(commands, partial(self._place, checked=checked))

    async def _place(self, commands: Sequence[Placement], *, checked: bool) -> list[Placed | ShopError]:
        refusals: Sequence[Refused | None] = [None] * len(commands)
        if not checked:
            refusals = await self._check(commands)
        checks = list(zip(commands, refusals, strict=True))
        admitted = [command for command, refusal in checks if refusal is None]
        refused = [command for command, refusal in checks if refusal is not None]
        # The charge of an accepted call with the same key may have caused a refusal, which is then wrong.
        # So existing orders are looked up. Adding waits for such calls, so admitted commands need no look-up.
        orders = by_identity(await self.placed.find_twins(refused) if refused else [])
        new = first_of_each(admitted, without=orders)
        try:
            orders |= by_identity(await self._add(new))
        except Contention:
            # An order exists, so none was added. Looking it up first would cost each batch a round trip.
            orders |= by_identity(await self.placed.find(new))
            orders |= by_identity(await self._add(first_of_each(new, without=orders)))
        outcomes: list[Placed | ShopError] = []
        for command, refusal in checks:
            order = orders.get(command.identity)
            if order is not None:
                outcomes.append(outcome(command, order))
            elif refusal is not None:
                outcomes.append(refusal)
        return outcomes

    async def _check(self, commands: Sequence[Placement]) -> Sequence[Refused | None]:
        reasons = await self.admission.check(commands)
        now = self.clock.now()
        return [expired(c, now) or reason for c, reason in zip(commands, reasons, strict=True)]

    async def _add(self, commands: Sequence[Placement]) -> list[Order]:
        """Adds the orders of all commands. If one of them exists, raises Contention and adds none."""
        now = self.clock.now()
        orders = [Order.place(command, self.currency, now, self.pay_within) for command in commands]
        if orders:
            async with self.uow:
                await self.orders.add(orders)
                await self.history.add([order.status_changed() for order in orders])
                pairs = zip(orders, commands, strict=True)
                await self.outbox.add([order.placed(c.traceparent, c.request_id) for order, c in pairs])
                placed = ((command, command.order_id) for command in commands)
                await self.record.add(acts_of_operators("place_order", placed, now))
        return orders


def by_identity(orders: Sequence[Order]) -> dict[Identity, Order]:
    return {order.identity: order for order in orders}


def first_of_each(commands: Sequence[Placement], *, without: Mapping[Identity, Order]) -> list[Placement]:
    """The first command with each identity, except for the identities in `without`."""
    firsts: dict[Identity, Placement] = {}
    for command in commands:
        identity = command.identity
        if identity not in without:
            firsts.setdefault(identity, command)
    return list(firsts.values())
