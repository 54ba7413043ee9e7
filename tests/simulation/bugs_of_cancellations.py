"""Planted bugs of cancellations: before, while and after an order is paid."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from kernel.domain.events import Unhandled
from orders.application.cancel_orders import CancelOrders
from orders.domain.commands import CancelOrder
from orders.domain.order import Order
from payments.application import charge_orders
from payments.application.charge_orders import ChargeOrders
from payments.domain.events import CancellationRequested
from payments.domain.payment import Decision
from payments.domain.transfer import Kind
from tests.assembly import Parts
from tests.memory.orders import MemoryOrders
from tests.memory.payments import TRANSFERS, MemoryLedger, MemoryPayments
from tests.simulation.bugs import BUGS, Bug, NoInbox
from tests.simulation.bugs_of_payments import TWICE_PAID
from tests.simulation.promises import Promise


class RefundsUnread(MemoryLedger):
    async def of_orders(self, payments: Sequence[Any]) -> Sequence[Any]:
        asked = {payment.order_id for payment in payments}
        booked = self._uow.transaction.committed(TRANSFERS)
        return [t for t in booked if t.kind is Kind.CAPTURE and t.order_id in asked]


BUGS["a refund does not look for an earlier one, and nothing else stops it"] = Bug(
    breaks=Promise.REFUNDED_ONCE,
    parts=lambda: Parts(inbox=NoInbox, ledger=RefundsUnread),
    unguarded=TWICE_PAID,
)


class VoidForgotten(MemoryPayments):
    async def add(self, payments: Sequence[Any]) -> None:
        await super().add([p for p in payments if p.decision is not Decision.VOIDED])


BUGS["that an order was voided is not recorded"] = Bug(
    breaks=Promise.AGREED, parts=lambda: Parts(payments=VoidForgotten)
)


class StrangersIgnored(ChargeOrders):
    """A cancellation of an order that payments never heard of is dropped."""

    async def __call__(self, received: Sequence[Any]) -> list[Unhandled]:
        async with self.uow:
            known = {p.order_id for p in await self.payments.recorded([item.fact for item in received])}
        return await super().__call__(
            [
                item
                for item in received
                if item.fact.order_id in known or not isinstance(item.fact, CancellationRequested)
            ]
        )


BUGS["a cancellation that overtakes its order is dropped"] = Bug(
    breaks=Promise.NOT_FORGOTTEN, parts=lambda: Parts(charge_orders=StrangersIgnored)
)


class WishForgotten(MemoryOrders):
    """A lock of an order does not show that its cancellation was requested."""

    async def lock(self, items: Sequence[Any]) -> Mapping[UUID, Order]:
        locked = await super().lock(items)
        if any(isinstance(item, CancelOrder) for item in items):
            return locked
        return {id: replace(order, cancel_requested_at=None) for id, order in locked.items()}


BUGS["an order that is paid after its cancellation was requested stays finished"] = Bug(
    breaks=Promise.AGREED, parts=lambda: Parts(orders=WishForgotten)
)


class SilentRefunding(CancelOrders):
    async def __call__(self, commands: Sequence[Any]) -> list[Any]:
        async with self.uow:
            orders = await self.orders.lock(commands)
            outcomes = [orders[c.order_id].cancel(c.traceparent, self.clock.now()) for c in commands]
            await self.orders.save(list(orders.values()))
            await self.history.add([change for o in outcomes for change in getattr(o, "changes", ())])
        return outcomes


BUGS["an order gets refunded and payments is never asked"] = Bug(
    breaks=Promise.NOT_FORGOTTEN, parts=lambda: Parts(cancel_orders=SilentRefunding)
)


BUGS["an order that is repeated is taken for its cancellation"] = Bug(
    breaks=Promise.ASKED_FOR,
    parts=lambda: Parts(inbox=NoInbox),
    constants=((charge_orders, "CancellationRequested", object),),
)


class HalvedLedger(MemoryLedger):
    async def of_orders(self, payments: Sequence[Any]) -> Sequence[Any]:
        return [replace(t, amount=t.amount // 2) for t in await super().of_orders(payments)]


BUGS["only a half is refunded"] = Bug(breaks=Promise.REFUNDED_RIGHT, parts=lambda: Parts(ledger=HalvedLedger))
