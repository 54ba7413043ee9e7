"""Answers a Placement without payments: if it comes too late, or if its order exists already."""

from datetime import datetime

from kernel.domain.errors import Refused
from orders.domain.commands import Placement
from orders.domain.order import Order, Placed

EXPIRED = "expired"


def expired(command: Placement, now: datetime) -> Refused | None:
    """Returns Refused if the time to pay the order is over, else None."""
    if command.pay_by is None or now <= command.pay_by:
        return None
    return Refused(EXPIRED, "the time to pay this order is over already")


def outcome(command: Placement, order: Order) -> Placed | Refused:
    """The answer to a command, given the stored order that has its id or its idempotency key."""
    if order.id == command.order_id:
        return Placed(order, replayed=False)
    asked = (command.amount, command.description, command.pay_by)
    if (order.amount, order.description, order.pay_by_given) == asked:
        return Placed(order, replayed=True)
    return Refused("idempotency_key_reused", "this idempotency key belongs to an order with other values")
