"""What must hold between the two databases, as each of them tells it (orders/domain/claims.py)."""

from collections.abc import AsyncIterator, Mapping, Sequence

from kernel.adapters.postgres.snapshot import Snapshot, snapshot
from kernel.domain.faults import Fault
from orders.adapters.outbound import claims as of_orders
from orders.domain.claims import Claim, KnownPayments, faults_of
from orders.domain.status import Status
from orders.domain.verdict import Key, Paid
from payments.adapters.outbound import claims as of_payments
from payments.domain.claims import KnownPayment
from shop.audit.running import runs

COUNTS = f"""
SELECT (SELECT count(*) FROM orders) AS orders,
       (SELECT count(*) FROM orders WHERE status = '{Status.NEW}') AS new,
       (SELECT count(*) FROM orders WHERE status = '{Status.REFUNDING}') AS refunding
"""


async def decided(database: Snapshot) -> AsyncIterator[Claim]:
    """What payments says of all orders."""
    async for one in of_payments.claims(database):
        yield Claim(*one)


async def look(keys: Sequence[Key], urls: Mapping[str, str], *, at_rest: bool) -> dict[Key, list[Fault]]:
    """What is wrong with these orders now, by order. Orders are read before payments."""
    async with snapshot(urls["orders"]) as database:
        ordered = await of_orders.known(database, keys)
        orders_run = await runs(database, urls["orders"])
    async with snapshot(urls["payments"]) as database:
        known = await of_payments.known(database, keys)
        shop_runs = orders_run and await runs(database, urls["payments"])
    payments = {(one.user_id, one.order_id): _paid(one) for one in known if one.is_known}
    paid = KnownPayments(payments, {str(one.order_id) for one in known if one.waiting})
    return faults_of(keys, ordered, paid, shop_runs=shop_runs, at_rest=at_rest)


def _paid(one: KnownPayment) -> Paid:
    return Paid(
        decision=one.decision,
        reason=one.reason,
        created_at=one.created_at,
        amount=one.amount,
        currency=one.currency,
        refunded_at=one.refunded_at,
    )
