"""Reads claims and stored values of orders from PostgreSQL, for the audit."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from kernel.adapters.postgres.audit import Row
from kernel.adapters.postgres.outboxes import waiting
from kernel.adapters.postgres.snapshot import Snapshot, snapshot
from orders.domain.claims import Claim, KnownOrders
from orders.domain.order import CANCELLED_BY_USER
from orders.domain.status import Status
from orders.domain.verdict import Decision, Key, Ordered

# Payments makes no claim like that of a REFUNDING order, so such an order always becomes a suspect.
_CLAIMS = f"""
SELECT user_id, id,
       CASE status
           WHEN '{Status.FINISHED}' THEN '{Decision.CAPTURED} ' || amount || ' ' || currency
           WHEN '{Status.REFUNDED}' THEN '{Decision.REFUNDED} ' || amount || ' ' || currency
           WHEN '{Status.CANCELLED}' THEN CASE reason
               WHEN '{CANCELLED_BY_USER}' THEN '{Decision.VOIDED} '
               ELSE '{Decision.DECLINED} ' || coalesce(reason, '')
           END
           WHEN '{Status.NEW}' THEN CASE WHEN created_at <= $1 THEN status END
           ELSE status
       END AS claim
FROM orders
"""
_ALL = f"{_CLAIMS} ORDER BY user_id, id"
_FIRST = f"{_ALL} LIMIT $2"
_AFTER = f"{_CLAIMS} WHERE (user_id, id) > ($3, $4) ORDER BY user_id, id LIMIT $2"
_SOME = """
SELECT user_id, id, amount, currency, status, reason, created_at, updated_at FROM orders WHERE id = ANY($1)
"""


async def claims(database: Snapshot, settled: datetime) -> AsyncIterator[Claim]:
    """The claims of all orders, sorted by key. The claim of a NEW order placed after `settled` is None."""
    async for row in database.stream(_ALL, settled):
        yield Claim(*row)


async def known(database: Snapshot, keys: Sequence[Key]) -> KnownOrders:
    """The stored values of the orders with these ids. The user in a key is ignored."""
    ids = [id for _, id in keys]
    rows = await database.rows(_SOME, ids)
    orders = {(row["user_id"], row["id"]): _ordered(row) for row in rows}
    return KnownOrders(orders, await waiting(database, ids), (await database.row("SELECT now()"))[0])


def _ordered(row: Row) -> Ordered:
    return Ordered(**{name: value for name, value in row.items() if name not in ("user_id", "id")})


class PostgresOrderClaims:
    """Reads claims on separate connections, because the statements may take long."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def count(self) -> int:
        async with snapshot(self._url) as database:
            found: int = (await database.row("SELECT count(*) FROM orders"))[0]
            return found

    async def page(self, after: Key | None, *, settled: datetime, count_max: int) -> Sequence[Claim]:
        async with snapshot(self._url) as database:
            if after is None:
                rows = await database.rows(_FIRST, settled, count_max)
            else:
                rows = await database.rows(_AFTER, settled, count_max, *after)
        return [Claim(*row) for row in rows]

    async def known(self, keys: Sequence[Key]) -> KnownOrders:
        async with snapshot(self._url) as database:
            return await known(database, keys)
