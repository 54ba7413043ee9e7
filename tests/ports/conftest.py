"""The worlds that the suites run in; one PostgreSQL server and one RabbitMQ serve them all."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.embedded.postgres import EmbeddedPostgres
from kernel.adapters.postgres.migrating.migrate import migrate
from tests.ports.buses import RabbitBusWorld, rabbit_world
from tests.ports.memory_world import MemoryWorld
from tests.ports.pair import Host, Pair, both, engine_of, prepare
from tests.ports.plans import Plan
from tests.ports.postgres_world import PostgresWorld
from tests.ports.worlds import World
from tests.servers.broker import Broker
from tests.servers.cable import Cable
from tests.servers.database import connected
from tests.servers.postgres import Template
from tests.servers.rabbitmq import PrivateRabbitMQ

Database = tuple[AsyncEngine, asyncpg.Connection, str]


@pytest.fixture(scope="session")
async def databases(postgres_server: str) -> AsyncIterator[dict[str, Database]]:
    """For each service an engine on its migrated database, and a connection beside the engine's."""
    address = postgres_server.rpartition("/")[0]
    async with (
        database(f"{address}/orders", "orders") as orders,
        database(f"{address}/payments", "payments") as payments,
    ):
        yield {"orders": orders, "payments": payments}


@asynccontextmanager
async def database(url: str, service: str) -> AsyncIterator[Database]:
    async with engine_of(url) as engine, connected(url) as watcher:
        await migrate(url, service)
        yield engine, watcher, url


@pytest.fixture
async def memory() -> AsyncIterator[MemoryWorld]:
    world = MemoryWorld()
    yield world
    await world.close()


@pytest.fixture
async def postgres(databases: dict[str, Database]) -> AsyncIterator[PostgresWorld]:
    """The world of the orders, which is also the one where what all services share is tried."""
    async with postgres_world(databases["orders"]) as world:
        yield world


@pytest.fixture
async def postgres_payments(databases: dict[str, Database]) -> AsyncIterator[PostgresWorld]:
    async with postgres_world(databases["payments"]) as world:
        yield world


@asynccontextmanager
async def postgres_world(database: Database) -> AsyncIterator[PostgresWorld]:
    world = PostgresWorld(*database)
    await world.clear()
    yield world
    await world.close()


@pytest.fixture(params=["memory", "postgres"])
def world(request: pytest.FixtureRequest) -> World:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, MemoryWorld | PostgresWorld)
    return found


@pytest.fixture(params=["memory", "postgres_payments"], ids=["memory", "postgres"])
def payments_world(request: pytest.FixtureRequest) -> World:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, MemoryWorld | PostgresWorld)
    return found


@pytest.fixture(scope="session")
async def hosts_of_payments(scratch: Path, template: Template) -> AsyncIterator[list[str]]:
    async with AsyncExitStack() as servers:
        found = []
        for name in ("A", "B"):
            options = {"fsync": "off", "cluster_name": name}
            folder = template.copy_to(scratch / f"failover-{name}")
            server = EmbeddedPostgres(folder, database="payments", options=options)
            found.append(servers.enter_context(server).url)
            await prepare(server.url)
        yield found


@pytest.fixture
async def pair(hosts_of_payments: list[str]) -> AsyncIterator[Pair]:
    async with AsyncExitStack() as opened:
        hosts = []
        for url in hosts_of_payments:
            cable = await opened.enter_async_context(Cable(url))
            hosts.append(Host(url, cable, await opened.enter_async_context(connected(url))))
        a, b = hosts
        url = both(a.cable, b.cable)
        pair = Pair(a, b, url, await opened.enter_async_context(engine_of(url)))
        try:
            yield pair
        finally:
            for host in hosts:
                await host.read_only("off")


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> list[Plan]:
    """The plan of each statement of the driver, as PostgreSQL carried it out."""
    seen: list[Plan] = []
    fetch = asyncpg.Connection.fetch

    async def explained(connection: asyncpg.Connection, query: str, *args: Any, **options: Any) -> Any:
        explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT json) {query}"
        (((plan,),),) = await fetch(connection, explain, *args)
        seen.append(plan["Plan"])
        return await fetch(connection, query, *args, **options)

    monkeypatch.setattr(asyncpg.Connection, "fetch", explained)
    return seen


@pytest.fixture
async def rabbit(broker: str) -> AsyncIterator[RabbitBusWorld]:
    async with rabbit_world(broker) as world:
        yield world


@pytest.fixture
def node(rabbit: RabbitBusWorld, coming_broker: Broker) -> PrivateRabbitMQ:
    """The broker of `rabbit` itself, for what its URL does not allow."""
    if coming_broker.node is None:
        pytest.skip("only a broker of our own can be changed")
    return coming_broker.node
