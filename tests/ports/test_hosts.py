"""Of several PostgreSQL hosts the one that takes writes is found, whatever became of the others."""

from collections.abc import AsyncIterator

import pytest

from kernel.adapters.postgres.statements.unit_of_work import PostgresUnitOfWork
from kernel.domain.errors import Unavailable
from tests.ports.pair import both, engine_of
from tests.servers.cable import Cable

Hosts = tuple[Cable, Cable]


@pytest.fixture
async def hosts(postgres_server: str) -> AsyncIterator[Hosts]:
    async with Cable(postgres_server) as first, Cable(postgres_server) as second:
        yield first, second


async def connects(hosts: Hosts) -> None:
    async with engine_of(f"{both(*hosts).rpartition('/')[0]}/orders") as engine:
        for _ in range(2):
            async with PostgresUnitOfWork(engine):
                pass
            await engine.dispose()


async def test_a_host_that_refuses_is_passed_over(hosts: Hosts) -> None:
    async with hosts[0].away():
        await connects(hosts)


async def test_a_host_that_answers_nothing_is_passed_over(hosts: Hosts) -> None:
    async with hosts[0].stalled():
        await connects(hosts)


async def test_the_database_is_away_while_no_host_answers(hosts: Hosts) -> None:
    async with hosts[0].away(), hosts[1].away():
        with pytest.raises(Unavailable):
            await connects(hosts)
