"""What must hold between the two databases: each order and what was decided about its payment.

Both are read in order and merged, each row as one claim: the orders say what was decided, the payments say it
too. Where the claims differ, something is wrong or under way; `look` tells which, from all that is known of
just these orders.
"""

from collections.abc import AsyncIterator, Collection, Mapping

from kernel.adapters.postgres.audit import Fault, Row
from orders.domain.order import CANCELLED_BY_USER
from orders.domain.status import Status
from payments.domain.account import Kind
from payments.domain.payment import Decision
from shop.audit.outboxes import SUBJECTS
from shop.audit.running import runs
from shop.audit.snapshot import snapshot
from shop.audit.verdict import REFUNDED, Key, OrderEvidence, find_faults

COUNTS = f"""
SELECT (SELECT count(*) FROM orders) AS orders,
       (SELECT count(*) FROM orders WHERE status = '{Status.NEW}') AS new,
       (SELECT count(*) FROM orders WHERE status = '{Status.REFUNDING}') AS refunding
"""

# NULL: a young order that is not decided yet, which says nothing. One that is being refunded differs from
# everything: it is looked at on its own.
ORDERS = f"""
SELECT user_id, id,
       CASE status
           WHEN '{Status.FINISHED}' THEN '{Decision.CAPTURED} ' || amount || ' ' || currency
           WHEN '{Status.REFUNDED}' THEN '{REFUNDED} ' || amount || ' ' || currency
           WHEN '{Status.CANCELLED}' THEN CASE reason
               WHEN '{CANCELLED_BY_USER}' THEN '{Decision.VOIDED} '
               ELSE '{Decision.DECLINED} ' || coalesce(reason, '')
           END
           WHEN '{Status.NEW}' THEN CASE WHEN created_at <= $1 THEN status END
           ELSE status
       END AS claim
FROM orders ORDER BY user_id, id
"""
PAYMENTS = f"""
SELECT p.user_id, p.order_id,
       CASE WHEN r.user_id IS NULL THEN p.decision ELSE '{REFUNDED}' END || ' ' || CASE p.decision
           WHEN '{Decision.CAPTURED}' THEN coalesce(t.amount || ' ' || a.currency, '')
           ELSE coalesce(p.reason, '')
       END AS claim
FROM payments p
LEFT JOIN transfers t ON t.user_id = p.user_id AND t.order_id = p.order_id AND t.kind = '{Kind.CAPTURE}'
LEFT JOIN transfers r ON r.user_id = p.user_id AND r.order_id = p.order_id AND r.kind = '{Kind.REFUND}'
LEFT JOIN accounts a ON a.user_id = p.user_id
ORDER BY p.user_id, p.order_id
"""


async def suspects(orders: AsyncIterator[Row], payments: AsyncIterator[Row]) -> AsyncIterator[Key | None]:
    """An ordered merge: for each order or payment its key where the claims differ, else None."""
    one: Row = await anext(orders, None)
    other: Row = await anext(payments, None)
    while one is not None or other is not None:
        if other is None or (one is not None and one[:2] < other[:2]):
            yield None if one["claim"] is None else _key(one)
            one = await anext(orders, None)
        elif one is None or other[:2] < one[:2]:
            yield _key(other)
            other = await anext(payments, None)
        else:
            yield None if one["claim"] in (None, other["claim"]) else _key(one)
            one, other = await anext(orders, None), await anext(payments, None)


def _key(row: Row) -> Key:
    return row[0], row[1]


_SOME_ORDERS = """
SELECT user_id, id, amount, currency, status, reason, created_at, updated_at FROM orders WHERE id = ANY($1)
"""
_SOME_PAYMENTS = f"""
SELECT user_id, order_id, p.decision, p.reason, p.created_at, c.amount, a.currency,
       r.created_at AS refunded_at
FROM unnest($1::text[], $2::uuid[]) AS given (user_id, order_id)
LEFT JOIN payments p USING (user_id, order_id)
LEFT JOIN accounts a USING (user_id)
LEFT JOIN LATERAL (
    SELECT t.amount FROM transfers t
    WHERE t.user_id = given.user_id AND t.order_id = given.order_id AND t.kind = '{Kind.CAPTURE}'
    ORDER BY t.sequence LIMIT 1
) c ON true
LEFT JOIN LATERAL (
    SELECT t.created_at FROM transfers t
    WHERE t.user_id = given.user_id AND t.order_id = given.order_id AND t.kind = '{Kind.REFUND}'
    ORDER BY t.sequence LIMIT 1
) r ON true
WHERE p.decision IS NOT NULL OR c.amount IS NOT NULL OR r.created_at IS NOT NULL
"""
_WAITING = f"""
SELECT subject FROM ({SUBJECTS}) o WHERE subject = ANY($1::text[])
UNION
SELECT subject FROM parked_messages WHERE subject = ANY($1::text[])
"""


async def look(keys: Collection[Key], urls: Mapping[str, str], *, at_rest: bool) -> dict[Key, list[Fault]]:
    """What is wrong with these orders now, by order.

    Orders are read before payments. What orders know payments knew before, so a decision that is missing here
    is missing indeed.
    """
    user_ids, ids = [user_id for user_id, _ in keys], [id for _, id in keys]
    subjects = [str(id) for id in ids]
    async with snapshot(urls["orders"]) as database:
        now = (await database.row("SELECT now()"))[0]
        orders = {_key(row): row for row in await database.rows(_SOME_ORDERS, ids)}
        waiting = {row["subject"] for row in await database.rows(_WAITING, subjects)}
        orders_run = await runs(database)
    async with snapshot(urls["payments"]) as database:
        payments = {_key(row): row for row in await database.rows(_SOME_PAYMENTS, user_ids, ids)}
        waiting |= {row["subject"] for row in await database.rows(_WAITING, subjects)}
        shop_runs = orders_run and await runs(database)
    owners = {id: user_id for user_id, id in orders}
    faults = {}
    for key in keys:
        evidence = OrderEvidence(
            key=key,
            order=orders.get(key),
            owner=owners.get(key[1]),
            payment=payments.get(key),
            waiting=str(key[1]) in waiting,
            now=now,
            shop_runs=shop_runs,
            at_rest=at_rest,
        )
        if found := list(find_faults(evidence)):
            faults[key] = found
    return faults
