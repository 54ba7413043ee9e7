"""A step of the series costs a count over the index of ids and 2,000 orders, however many there are."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from kernel.adapters.postgres.connections.engine import connect_engine
from kernel.adapters.postgres.migrating.migrate import migrate
from orders.adapters.outbound.postgres.series import PostgresMeasuredOrders
from orders.domain.series import SAMPLE_MAX, STEP
from tests.ports.plans import Plan, scans_of
from tests.servers.database import connected
from tests.servers.postgres import create_database

STORED = 200_000
START = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
# 150 steps, and of each order the id of its millisecond; the last step has as many orders as all others.
LAST = START + STEP * 150
STORE = f"""
WITH placed AS (
    SELECT n, CASE WHEN n % 2 = 0 THEN '{LAST}'::timestamptz + n % 15000 * interval '1 ms'
              ELSE '{START}'::timestamptz + n::bigint * 2250 / {STORED} * interval '1 s' END AS at
    FROM generate_series(1, {STORED}) n
), identified AS (
    SELECT n, at, (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0')
        || '7000' || '8000' || lpad(to_hex(n), 4, '0') || substr(md5(n::text), 1, 8))::uuid AS id
    FROM placed
), stored AS (
    INSERT INTO orders (user_id, id, amount, currency, description, status, created_at, updated_at)
    SELECT 'user' || n % 1000, id, 1, 'RUB', '', 'FINISHED', at, at FROM identified
)
INSERT INTO order_history (user_id, order_id, sequence, status, at)
SELECT 'user' || n % 1000, id, sequence, CASE sequence WHEN 1 THEN 'NEW' ELSE 'FINISHED' END,
    at + (sequence - 1) * n % 1000 * interval '1 ms'
FROM identified, generate_series(1, 2) sequence
"""


@pytest.fixture(scope="module")
async def stored(postgres_server: str) -> AsyncIterator[PostgresMeasuredOrders]:
    url = await create_database(postgres_server, "series")
    await migrate(url, "orders")
    async with connected(url) as connection:
        await connection.execute("ALTER TABLE orders SET (autovacuum_enabled = off)")
        await connection.execute(
            STORE.replace("$1", f"'{START}'").replace("$2", f"'{LAST}'").replace("$3", str(STORED))
        )
    engine = connect_engine(url)
    yield PostgresMeasuredOrders(engine)
    await engine.dispose()


@pytest.mark.parametrize(("step", "orders"), [(75, STORED // 300), (150, STORED // 2), (151, 0)])
async def test_a_step_reads_its_part_of_the_index_twice_and_the_rows_of_its_sample(
    stored: PostgresMeasuredOrders, plans: list[Plan], step: int, orders: int
) -> None:
    start = START + STEP * step
    measured = await stored.measure(start, start + STEP, sample_max=SAMPLE_MAX)
    sampled = min(orders, SAMPLE_MAX)
    assert abs(measured.orders - orders) <= 1
    assert abs(measured.sampled - sampled) <= 1
    assert len(measured.seconds) == measured.sampled
    of_step = 2 * measured.orders + measured.sampled
    most = {"orders_id": of_step, "orders": of_step, "order_history_pkey": measured.sampled}
    read = dict.fromkeys(most, 0)
    for scan in (scan for plan in plans for scan in scans_of(plan)):
        in_vain = scan.get("Rows Removed by Filter", 0) + scan.get("Rows Removed by Index Recheck", 0)
        rows = round((scan["Actual Rows"] + in_vain) * scan["Actual Loops"])
        read[scan.get("Index Name") or scan["Relation Name"]] += rows
    assert all(read[name] <= most[name] for name in most), (read, plans)


async def test_the_sample_is_spread_over_the_whole_step(stored: PostgresMeasuredOrders) -> None:
    """The times of the last step are even from 0 to 998 ms: so are those of a sample that is a fair one."""
    measured = await stored.measure(LAST, LAST + STEP, sample_max=SAMPLE_MAX)
    ordered = sorted(measured.seconds)
    assert abs(ordered[SAMPLE_MAX // 2] - 0.5) < 0.05
    assert ordered[SAMPLE_MAX * 99 // 100] > 0.97
    assert timedelta(seconds=ordered[-1]) < timedelta(seconds=1)
