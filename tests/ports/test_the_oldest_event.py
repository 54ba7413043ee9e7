"""The oldest event that waits is asked for each second: that costs the same, however many events wait."""

from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.messages.facts import PostgresMessagingFacts
from kernel.adapters.postgres.messages.outbox import PostgresBacklog
from kernel.adapters.postgres.messages.pauses import PostgresStandingReading
from kernel.adapters.postgres.statements.unit_of_work import PostgresUnitOfWork
from kernel.application.replay import REPLAYED
from kernel.application.set_aside import aside
from kernel.domain.facts import What
from kernel.domain.ids import made_at
from kernel.domain.parked import OwnName
from orders.adapters.outbound.tables import SCHEMA
from tests.ports.plans import Plan, scans_of
from tests.ports.test_filters import STORED, migrated

STORE = """
INSERT INTO outbox (type, id, event)
SELECT $1, lpad(to_hex(n), 32, '0')::uuid, '' FROM generate_series($2::int, $3::int) n
"""
OLDEST = 5 * STORED
TYPES = (aside(1), aside(2), REPLAYED, "shop.a", "shop.b")


@pytest.fixture(scope="module")
async def stored(postgres_server: str) -> AsyncIterator[tuple[AsyncEngine, asyncpg.Connection]]:
    async with migrated(postgres_server, "orders", "oldest") as (engine, connection):
        for number, name in enumerate(TYPES):
            first = {"shop.a": OLDEST + STORED, "shop.b": OLDEST}.get(name, number * STORED)
            await connection.execute(STORE, name, first, first + STORED)
        yield engine, connection


async def test_it_is_found_without_reading_the_others(
    stored: tuple[AsyncEngine, asyncpg.Connection], plans: list[Plan]
) -> None:
    engine, connection = stored
    uow = PostgresUnitOfWork(engine)
    for statistics in ("none", "all"):
        plans.clear()
        assert (await PostgresStandingReading(engine, OwnName("orders")).standing()).waiting_since is not None
        async with uow:
            assert await PostgresBacklog(uow).waiting_since() is not None
        assert len(plans) == 2
        for plan in plans:
            for scan in scans_of(plan):
                assert scan["Actual Rows"] <= len(TYPES) + 1, (statistics, plan)
                assert scan.get("Rows Removed by Filter", 0) <= len(TYPES), (statistics, plan)
        await connection.execute("ANALYZE outbox")


async def test_it_is_the_oldest_of_all_types_that_are_published(
    stored: tuple[AsyncEngine, asyncpg.Connection],
) -> None:
    engine, connection = stored
    reading, uow = PostgresStandingReading(engine, OwnName("orders")), PostgresUnitOfWork(engine)
    messaging = PostgresMessagingFacts(engine, SCHEMA)

    async def backlog() -> list[str]:
        facts = (await messaging.about(UUID(int=0))).facts
        return [fact.detail for fact in facts if fact.what is What.BACKLOG]

    (oldest,) = await connection.fetch("SELECT id FROM outbox WHERE type = 'shop.b' ORDER BY id LIMIT 1")
    assert (await reading.standing()).waiting_since == made_at(oldest["id"])
    assert await backlog() == [REPLAYED]
    await connection.execute("DELETE FROM outbox WHERE type LIKE 'shop.%'")
    assert (await reading.standing()).waiting_since is None
    async with uow:
        assert await PostgresBacklog(uow).waiting_since() is not None, "what is replayed waits too"
    await connection.execute("DELETE FROM outbox WHERE type = $1", REPLAYED)
    async with uow:
        assert await PostgresBacklog(uow).waiting_since() is None
    assert await backlog() == []
