"""The audit's comparison: each order must agree with the decision of payments about it.

Each service lists one claim per order, sorted by key. A claim is the decision as a text. If the two claims of
an order differ, there is a fault, or work is still under way. `verdict.py` distinguishes the two cases by all
stored values of the order in both services.
"""

from collections.abc import AsyncIterator, Collection, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from kernel.domain.faults import Fault
from kernel.domain.value import value
from orders.domain.verdict import Key, Ordered, OrderEvidence, Paid, find_faults


class Claim(NamedTuple):
    user_id: str
    order_id: UUID
    claim: str | None
    """None for a young order without a decision. None agrees with every claim."""

    @property
    def key(self) -> Key:
        return self.user_id, self.order_id


async def suspects(orders: AsyncIterator[Claim], payments: AsyncIterator[Claim]) -> AsyncIterator[Key | None]:
    """Merges two lists sorted by key. Yields each key whose claims differ, and None for every other key."""
    one: Claim | None = await anext(orders, None)
    other: Claim | None = await anext(payments, None)
    while one is not None or other is not None:
        if one is not None and (other is None or one.key < other.key):
            yield None if one.claim is None else one.key
            one = await anext(orders, None)
        elif other is not None and (one is None or other.key < one.key):
            yield other.key
            other = await anext(payments, None)
        elif one is not None and other is not None:
            yield None if one.claim in (None, other.claim) else one.key
            one, other = await anext(orders, None), await anext(payments, None)


@value
class KnownOrders:
    """The values of some orders, stored by the orders service. Read them before you ask payments. Payments
    decides first, so a decision that only orders knows is not under way: payments has lost it."""

    orders: Mapping[Key, Ordered]
    waiting: Collection[str]
    """Ids of orders about which a message is in the outbox, or parked."""
    now: datetime


@value
class KnownPayments:
    payments: Mapping[Key, Paid]
    waiting: Collection[str]


def faults_of(
    keys: Collection[Key],
    ordered: KnownOrders,
    paid: KnownPayments,
    *,
    shop_runs: bool = True,
    at_rest: bool = False,
) -> dict[Key, list[Fault]]:
    """The faults of these orders, by key. Orders without a fault are left out."""
    owners = {id: user_id for user_id, id in ordered.orders}
    waiting = {*ordered.waiting, *paid.waiting}
    faults = {}
    for key in keys:
        evidence = OrderEvidence(
            key=key,
            order=ordered.orders.get(key),
            owner=owners.get(key[1]),
            payment=paid.payments.get(key),
            waiting=str(key[1]) in waiting,
            now=ordered.now,
            shop_runs=shop_runs,
            at_rest=at_rest,
        )
        if found := list(find_faults(evidence)):
            faults[key] = found
    return faults
