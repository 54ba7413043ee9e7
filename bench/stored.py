"""Stores orders directly in the databases, for measurements on existing data."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
from uuid_utils.compat import uuid7

from bench.floors import SQL
from bench.servers import BALANCE, USERS, Servers
from kernel.adapters.system_clock import SystemClock
from kernel.application.envelopes import pack
from orders import wire
from orders.domain.events import OrderPlaced
from orders.domain.order import ASK_AGAIN_FIRST
from tests.servers.database import connected

# The events of one transaction under the load of so many connections.
BATCH = 190


async def fill_outbox(url: str, count: int) -> None:
    """Stores orders whose events have not been published."""
    now = datetime.now(UTC)
    trace = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-00"
    async with connected(url) as database:
        placed = await _store_new(database, count, now, ask_again_at=now + ASK_AGAIN_FIRST)
        events = [
            OrderPlaced(order_id=order_id, user_id=user, traceparent=trace, amount=100, currency="RUB")
            for order_id, user in placed
        ]
        rows = [
            (row.type, row.id, row.events, row.count)
            for start in range(0, count, BATCH)
            for row in pack(events[start : start + BATCH], wire.encode, SystemClock())
        ]
        columns = ["type", "id", "event", "count"]
        await database.copy_records_to_table("outbox", records=rows, columns=columns)
        await database.execute("ANALYZE")


async def store_undecided(servers: Servers, count: int) -> list[UUID]:
    """Stores orders that stay NEW until `ask_about_all`, because payments does not know them."""
    async with connected(servers.databases["orders"]) as database:
        placed = await _store_new(database, count, datetime.now(UTC), ask_again_at=None)
        return [order_id for order_id, _ in placed]


async def ask_about_all(servers: Servers) -> None:
    """Makes every NEW order due, so that the shop asks payments about it."""
    async with connected(servers.databases["orders"]) as database:
        await database.execute("UPDATE orders SET ask_again_at = now() WHERE status = 'NEW'")


async def _store_new(
    database: asyncpg.Connection, count: int, now: datetime, *, ask_again_at: datetime | None
) -> list[tuple[UUID, str]]:
    """Stores NEW orders with their histories. Returns the id and the user of each."""
    keys = [(uuid7(), f"user-{1 + number % USERS}") for number in range(count)]
    placed = [
        (user, order_id, 100, "RUB", "", "NEW", str(order_id), ask_again_at, now, now)
        for order_id, user in keys
    ]
    columns = (
        "user_id id amount currency description status idempotency_key ask_again_at created_at updated_at"
    )
    await database.copy_records_to_table("orders", records=placed, columns=columns.split())
    changes = [(user, order_id, 1, "NEW", now) for order_id, user in keys]
    columns = "user_id order_id sequence status at"
    await database.copy_records_to_table("order_history", records=changes, columns=columns.split())
    return keys


async def store_decided(servers: Servers, count: int) -> None:
    """Stores paid orders of the past hour."""
    since = datetime.now(UTC) - timedelta(hours=1)
    await asyncio.gather(
        *(_store(url, f"store_{name}.sql", count, since) for name, url in servers.databases.items())
    )


async def _store(url: str, script: str, count: int, since: datetime) -> None:
    async with connected(url) as database:
        await database.execute((SQL / "store.sql").read_text(), count, USERS, BALANCE, since)
        await database.execute((SQL / script).read_text())
        await database.execute("DROP TABLE stored")
        await database.execute("VACUUM ANALYZE")
        await database.execute("CHECKPOINT")
