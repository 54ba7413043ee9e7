"""What must hold between orders and payments: each order and what was decided about its payment.

Each service makes one claim of every order, a text of what was decided, and lists its claims in the order of
the keys. Where two claims differ, something is wrong or under way. The verdict tells which, from all that is
known of just these orders.
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
    """None: a young order that is not decided yet, which says nothing."""

    @property
    def key(self) -> Key:
        return self.user_id, self.order_id


async def suspects(orders: AsyncIterator[Claim], payments: AsyncIterator[Claim]) -> AsyncIterator[Key | None]:
    """An ordered merge: for each order or payment its key where the claims differ, else None."""
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
    """What orders knows of some orders. It is read before payments is asked: payments decides first, so a
    decision that orders knows and payments does not is lost, and not under way."""

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
    """What is wrong with these orders, by order."""
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
