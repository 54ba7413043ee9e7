from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kernel.application.read_apart import read_apart
from kernel.domain.caller import Caller
from kernel.domain.facts import Fact, Part, What
from kernel.domain.money import in_units
from kernel.ports.facts import MessagingFacts
from orders.domain.order import Order
from orders.domain.status import StatusChanged
from orders.ports.orders import ReadableOrders

SERVICE = "orders"


@dataclass
class ExplainOrder:
    """Collects all facts that orders has stored about an order."""

    placed: ReadableOrders
    messaging: MessagingFacts

    async def __call__(self, caller: Caller, order_id: UUID) -> Part:
        """Returns the readable facts. Raises Forbidden, and Unavailable if nothing can be read."""
        caller.require_to_see_all()
        return await read_apart(
            orders=self._order(order_id),
            order_history=self._history(order_id),
            messages=self.messaging.about(order_id),
        )

    async def _order(self, order_id: UUID) -> Part:
        order = await self.placed.get(order_id)
        if order is None:
            return Part()
        return Part(facts=facts_of(order), user_id=order.user_id, trace_id=order.trace_id)

    async def _history(self, order_id: UUID) -> Part:
        return Part(facts=statuses_of(await self.placed.history(order_id, after=0)))


def facts_of(order: Order) -> list[Fact]:
    facts = [_fact(What.ACCEPTED, "orders", order.created_at, f"{in_units(order.amount)} {order.currency}")]
    if order.cancel_requested_at is not None:
        facts.append(_fact(What.CANCEL_REQUESTED, "orders", order.cancel_requested_at))
    if order.ask_again_at is not None:
        facts.append(_fact(What.ASKS_AGAIN, "orders", order.ask_again_at))
    return facts


def statuses_of(history: Sequence[StatusChanged]) -> list[Fact]:
    return [
        _fact(
            What.STATUS, "order_history", change.at, ": ".join(filter(None, (change.status, change.reason)))
        )
        for change in history
    ]


def _fact(what: What, source: str, at: datetime, detail: str = "") -> Fact:
    return Fact(at=at, service=SERVICE, what=what, source=source, detail=detail)
