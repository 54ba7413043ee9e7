"""Of several PostgreSQL hosts the one that takes writes is found, whatever became of the others."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from kernel.adapters.postgres.connections.engine import connect_engine
from kernel.adapters.postgres.statements.unit_of_work import PostgresUnitOfWork
from kernel.domain.errors import Unavailable
from tests.servers.cable import Cable
from tests.servers.postgres import create_database

Hosts = tuple[Cable, Cable]


@pytest.fixture
async def hosts(postgres_server: str) -> AsyncIterator[Hosts]:
    async with Cable(postgres_server) as first, Cable(postgres_server) as second:
        yield first, second


async def connects(hosts: Hosts, *, database: str = "orders") -> None:
    first, second = hosts
    both = first.url.replace(first.address, f"{first.address},{second.address}")
    engine = connect_engine(f"{both.rpartition('/')[0]}/{database}")
    try:
        for _ in range(2):
            async with PostgresUnitOfWork(engine):
                pass
            await engine.dispose()
    finally:
        await engine.dispose()


async def test_a_host_that_refuses_is_passed_over(hosts: Hosts) -> None:
    async with hosts[0].away():
        await connects(hosts)


async def test_a_host_that_answers_nothing_is_passed_over(hosts: Hosts) -> None:
    async with hosts[0].stalled():
        await connects(hosts)


async def test_where_no_host_answers_the_database_is_away(hosts: Hosts) -> None:
    async with hosts[0].away(), hosts[1].away():
        with pytest.raises(Unavailable):
            await connects(hosts)


async def test_where_no_host_takes_writes_the_database_is_away(postgres_server: str, hosts: Hosts) -> None:
    url = await create_database(postgres_server, "standby")
    connection = await asyncpg.connect(url)
    await connection.execute("ALTER DATABASE standby SET default_transaction_read_only = on")
    await connection.close()
    with pytest.raises(Unavailable):
        await connects(hosts, database="standby")


async def test_a_database_that_is_not_there_is_away(hosts: Hosts) -> None:
    with pytest.raises(Unavailable):
        await connects(hosts, database="nowhere")
