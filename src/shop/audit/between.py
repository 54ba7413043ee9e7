"""Compares the databases of orders and payments, order by order (rules: orders/domain/claims.py).

Work that waits for a stopped service is no fault.
"""

from collections.abc import AsyncIterator, Mapping, Sequence

from kernel.adapters.postgres import outboxes
from kernel.adapters.postgres.connections.hosts import session_name
from kernel.adapters.postgres.snapshot import Snapshot, snapshot
from kernel.contracts.values import same_fields
from kernel.domain.faults import Fault
from orders.adapters.outbound import claims as of_orders
from orders.domain.claims import Claim, KnownPayments, faults_of
from orders.domain.status import Status
from orders.domain.verdict import Key, Paid
from payments.adapters.outbound import claims as of_payments

COUNTS = f"""
SELECT (SELECT count(*) FROM orders) AS orders,
       (SELECT count(*) FROM orders WHERE status = '{Status.NEW}') AS new,
       (SELECT count(*) FROM orders WHERE status = '{Status.REFUNDING}') AS refunding
"""
# Behind a pooler, a session of the service may have no name. Such a session counts as a running service, so
# that the audit stays strict.
_RUNS = """
SELECT EXISTS (
    SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend'
      AND application_name IN ($1, '')
) AS runs
"""


async def service_runs(database: Snapshot, url: str) -> bool:
    """Whether the service of this database has a session on it. `url` contains the name of its sessions."""
    found: bool = (await database.row(_RUNS, session_name(url)))["runs"]
    return found


async def decided(database: Snapshot) -> AsyncIterator[Claim]:
    """Streams what payments has stored about each order."""
    async for one in of_payments.claims(database):
        yield Claim(*one)


async def look(
    keys: Sequence[Key], urls: Mapping[str, str], others: Sequence[str], *, at_rest: bool
) -> dict[Key, list[Fault]]:
    """Returns the present faults of these orders, by order. Reads orders before payments, as the audit does.

    `others` are the URLs of all other lanes, where events about these orders may be set aside. These
    databases are read first, so that an event that moves back to its own lane during the check is not missed.
    """
    aside: set[str] = set()
    for url in others:
        async with snapshot(url) as database:
            aside |= await outboxes.waiting(database, [order_id for _, order_id in keys])
    async with snapshot(urls["orders"]) as database:
        ordered = await of_orders.known(database, keys)
        orders_run = await service_runs(database, urls["orders"])
    async with snapshot(urls["payments"]) as database:
        known = await of_payments.known(database, keys)
        shop_runs = orders_run and await service_runs(database, urls["payments"])
    payments = {(one.user_id, one.order_id): same_fields(one, Paid) for one in known if one.known}
    paid = KnownPayments(payments, aside | {str(one.order_id) for one in known if one.waiting})
    return faults_of(keys, ordered, paid, shop_runs=shop_runs, at_rest=at_rest)
