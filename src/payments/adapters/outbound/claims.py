"""Reads claims and stored values of payments from PostgreSQL, for the audit."""

from collections.abc import AsyncIterator, Sequence

from kernel.adapters.postgres.outboxes import waiting
from kernel.adapters.postgres.snapshot import Snapshot, snapshot
from payments.domain.claims import Claim, Key, KnownPayment
from payments.domain.payment import Decision
from payments.domain.transfer import Kind

REFUNDED = "refunded"

_CLAIMS = f"""
SELECT p.user_id, p.order_id,
       CASE WHEN r.user_id IS NULL THEN p.decision ELSE '{REFUNDED}' END || ' ' || CASE p.decision
           WHEN '{Decision.CAPTURED}' THEN coalesce(t.amount || ' ' || a.currency, '')
           ELSE coalesce(p.reason, '')
       END AS claim
FROM payments p
LEFT JOIN transfers t ON t.user_id = p.user_id AND t.order_id = p.order_id AND t.kind = '{Kind.CAPTURE}'
LEFT JOIN transfers r ON r.user_id = p.user_id AND r.order_id = p.order_id AND r.kind = '{Kind.REFUND}'
LEFT JOIN accounts a ON a.user_id = p.user_id
"""
_IN_ORDER = "ORDER BY p.user_id, p.order_id"
_ALL = f"{_CLAIMS} {_IN_ORDER}"
_SOME = f"""
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
"""


async def claims(database: Snapshot) -> AsyncIterator[Claim]:
    """Yields one claim for each decision, sorted by key."""
    async for row in database.stream(_ALL):
        yield Claim(*row)


async def known(database: Snapshot, keys: Sequence[Key]) -> Sequence[KnownPayment]:
    """The stored values of these orders, one item for each key."""
    users, ids = [user_id for user_id, _ in keys], [id for _, id in keys]
    rows = await database.rows(_SOME, users, ids)
    subjects = await waiting(database, ids)
    return [KnownPayment(**row, waiting=str(row["order_id"]) in subjects) for row in rows]


class PostgresClaims:
    """Reads claims on separate connections, because the statements may take long."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def page(self, after: Key | None, until: Key | None, *, count_max: int) -> Sequence[Claim]:
        conditions: list[str] = []
        given: list[object] = [count_max]
        for place, operator in ((after, ">"), (until, "<=")):
            if place is not None:
                number = len(given) + 1
                conditions.append(
                    f"(p.user_id, p.order_id) {operator} (${number}::text, ${number + 1}::uuid)"
                )
                given += place
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        async with snapshot(self._url) as database:
            rows = await database.rows(f"{_CLAIMS} {where} {_IN_ORDER} LIMIT $1", *given)
        return [Claim(*row) for row in rows]

    async def known(self, keys: Sequence[Key]) -> Sequence[KnownPayment]:
        async with snapshot(self._url) as database:
            return await known(database, keys)
