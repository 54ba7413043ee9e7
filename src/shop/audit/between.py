"""What must hold between the two databases: each order and what was decided about its payment.

Both are read in order and merged, each row as one claim: the orders say what was decided, the payments say it
too. Where the claims differ, something is wrong or under way; `look` tells which, from all that is known of
just these orders.
"""

from collections.abc import AsyncIterator, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from orders.domain.order import Status
from payments.domain.account import Decision, Kind
from shop.audit.findings import Check, Fault, money, order, word
from shop.audit.outboxes import SUBJECT
from shop.audit.snapshot import Row, snapshot

# How long work may be under way before it counts as forgotten.
IN_FLIGHT_MAX = timedelta(seconds=60)

Key = tuple[str, UUID]

# NULL: a young order that is not decided yet, which says nothing.
ORDERS = f"""
SELECT user_id, id,
       CASE status
           WHEN '{Status.FINISHED}' THEN '{Decision.CAPTURED} ' || amount || ' ' || currency
           WHEN '{Status.CANCELLED}' THEN '{Decision.DECLINED} ' || coalesce(reason, '')
           WHEN '{Status.NEW}' THEN CASE WHEN created_at <= $1 THEN status END
           ELSE status
       END AS claim
FROM orders ORDER BY user_id, id
"""
PAYMENTS = f"""
SELECT p.user_id, p.order_id,
       p.decision || ' ' || CASE p.decision
           WHEN '{Decision.CAPTURED}' THEN coalesce(t.amount || ' ' || a.currency, '')
           ELSE coalesce(p.reason, '')
       END AS claim
FROM payments p
LEFT JOIN transfers t ON t.user_id = p.user_id AND t.order_id = p.order_id AND t.kind = '{Kind.CAPTURE}'
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


_SOME_ORDERS = (
    "SELECT user_id, id, amount, currency, status, reason, created_at FROM orders WHERE id = ANY($1)"
)
_SOME_PAYMENTS = f"""
SELECT user_id, order_id, p.decision, p.reason, p.created_at, c.amount, a.currency
FROM unnest($1::text[], $2::uuid[]) AS given (user_id, order_id)
LEFT JOIN payments p USING (user_id, order_id)
LEFT JOIN accounts a USING (user_id)
LEFT JOIN LATERAL (
    SELECT t.amount FROM transfers t
    WHERE t.user_id = given.user_id AND t.order_id = given.order_id AND t.kind = '{Kind.CAPTURE}'
    ORDER BY t.sequence LIMIT 1
) c ON true
WHERE p.decision IS NOT NULL OR c.amount IS NOT NULL
"""
_WAITING = f"""
SELECT subject FROM (SELECT {SUBJECT} AS subject FROM outbox) o WHERE subject = ANY($1::text[])
UNION
SELECT subject FROM parked_messages WHERE subject = ANY($1::text[])
"""


@dataclass(frozen=True, slots=True)
class Known:
    """All that is known of an order; `waiting`: a message about it is in an outbox, or parked."""

    key: Key
    order: Row | None
    owner: str | None
    payment: Row | None
    waiting: bool
    now: datetime
    at_rest: bool

    def overdue(self, since: datetime) -> bool:
        return self.at_rest or self.now - since > IN_FLIGHT_MAX


async def look(
    keys: Collection[Key], orders_url: str, payments_url: str, *, at_rest: bool
) -> dict[Key, list[Fault]]:
    """What is wrong with these orders now, by order.

    Orders are read before payments. What orders know payments knew before, so a decision that is missing here
    is missing indeed.
    """
    user_ids, ids = [user_id for user_id, _ in keys], [id for _, id in keys]
    subjects = [str(id) for id in ids]
    async with snapshot(orders_url) as database:
        now = (await database.row("SELECT now()"))[0]
        orders = {_key(row): row for row in await database.rows(_SOME_ORDERS, ids)}
        waiting = {row["subject"] for row in await database.rows(_WAITING, subjects)}
    async with snapshot(payments_url) as database:
        payments = {_key(row): row for row in await database.rows(_SOME_PAYMENTS, user_ids, ids)}
        waiting |= {row["subject"] for row in await database.rows(_WAITING, subjects)}
    owners = {id: user_id for user_id, id in orders}
    faults = {}
    for key in keys:
        known = Known(
            key=key,
            order=orders.get(key),
            owner=owners.get(key[1]),
            payment=payments.get(key),
            waiting=str(key[1]) in waiting,
            now=now,
            at_rest=at_rest,
        )
        if found := list(judge(known)):
            faults[key] = found
    return faults


def judge(known: Known) -> Iterator[Fault]:
    """What is wrong with an order, and not only under way."""
    if known.order is None:
        yield from _decided_without_order(known)
        return
    yield from _status_faults(known, known.order)
    # Without a transfer, which is a fault of its own, nothing can be compared.
    if known.payment is not None and known.payment["amount"] is not None:
        paid, ordered = known.payment, known.order
        if paid["amount"] != ordered["amount"]:
            expected = f"{money(ordered['amount'])}, as the order"
            yield _fault(known, "amount_differs", f"paid {money(paid['amount'])}", expected)
        if paid["currency"] != ordered["currency"]:
            expected = f"{ordered['currency']}, as the order"
            yield _fault(known, "currency_differs", f"paid in {word(paid['currency'])}", expected)


def _decided_without_order(known: Known) -> Iterator[Fault]:
    if known.payment is None:
        return
    decision, user_id = _decision(known.payment), known.key[0]
    if known.owner is None:
        yield _fault(known, "order_missing", f"{decision}, no order", "an order")
    else:
        yield _fault(known, "user_differs", f"{decision} for {user_id}", f"{known.owner}, as the order")


def _status_faults(known: Known, ordered: Row) -> Iterator[Fault]:
    status, decision = ordered["status"], _decision(known.payment)
    reason = None if known.payment is None else known.payment["reason"]
    match status:
        case Status.NEW:
            decided_at = None if known.payment is None else known.payment["created_at"]
            since = decided_at or ordered["created_at"]
            if known.overdue(since) and not known.waiting:
                kind = "order_forgotten" if known.payment is None else "order_still_new"
                yield _fault(known, kind, f"NEW, {decision} since {since:%Y-%m-%dT%H:%M:%SZ}", "settled")
        case Status.FINISHED:
            if decision != Decision.CAPTURED:
                yield _fault(known, "finished_not_captured", f"{status}, {decision}", Decision.CAPTURED)
        case Status.CANCELLED:
            if decision != Decision.DECLINED:
                yield _fault(known, "cancelled_not_declined", f"{status}, {decision}", Decision.DECLINED)
            elif reason != ordered["reason"]:
                found = f"{status}, {word(ordered['reason'])}"
                yield _fault(known, "reason_differs", found, f"{word(reason)}, as {decision}")
        case _:
            yield _fault(known, "status_unknown", status, "a status of the contract")


def _fault(known: Known, kind: str, found: str, expected: str) -> Fault:
    return Fault(Check.ORDERS, kind, order(*known.key), found, expected)


def _decision(payment: Row | None) -> str:
    """A transfer whose decision is missing, which is a fault of its own, still captured the money."""
    if payment is None:
        return "not decided"
    return str(payment["decision"] or Decision.CAPTURED)
