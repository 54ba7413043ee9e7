"""Switches the primary over to its standby under load, for three services and for one process."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from kernel.adapters.postgres.migrating.migrate import migrate
from shop.audit.auditing import audit
from tests.chaos.messages import remove_queues
from tests.chaos.verdict import get
from tests.databases import on
from tests.servers.cable import Cable
from tests.servers.database import ReplicatedDatabase
from tests.servers.postgres import Template, create_database
from tests.servers.process import eventually, start_together
from tests.servers.shop import SERVICES, Shop
from tests.servers.steady import Steady

DATABASES = ("orders", "payments")
CALLS = 10


class OnPair(Shop):
    """A shop on two databases of one server with a standby. It uses RabbitMQ if `broker` is given."""

    def __init__(self, directory: Path, databases: Mapping[str, str], broker: str | None) -> None:
        super().__init__(directory)
        self.settings |= {f"{name.upper()}_DATABASE_URL": url for name, url in databases.items()}
        self.databases = databases
        if broker is None:
            self.processes["up"] = self.process("up", ready_at=self.urls.values())
        else:
            others = {"RABBITMQ_URL": broker, "ORDERS_URL": self.orders, "PAYMENTS_URL": self.payments}
            self.settings |= others
            for service in SERVICES:
                self.processes[service] = self.process("serve", service, ready_at=[self.urls[service]])

    async def migrate(self) -> None:
        for service, url in self.databases.items():
            await migrate(url, service)

    async def start(self) -> None:
        await start_together(self.processes.values())

    async def says(self, status: int, detail: str = "") -> None:
        """Waits until both services with a database answer with this status and detail."""
        async with aiohttp.ClientSession() as session:
            for url in (self.orders, self.payments):
                await eventually(lambda url=url: _says(session, url, status, detail))


async def _says(session: aiohttp.ClientSession, url: str, status: int, detail: str) -> bool:
    async with session.get(f"{url}/health/ready") as answer:
        assert answer.status == status, await answer.text()
        assert detail in await answer.text()
    return True


@pytest.fixture(scope="module")
async def database(scratch: Path, template: Template) -> AsyncIterator[ReplicatedDatabase]:
    database = ReplicatedDatabase(scratch / "switchover", "orders", template, {"fsync": "off"})
    try:
        await database.start()
        yield database
    finally:
        database.stop()


@pytest.fixture(scope="module")
async def lines(database: ReplicatedDatabase) -> AsyncIterator[Sequence[Cable]]:
    """Cables to the two nodes, because the nodes' own addresses change."""
    async with Cable(database.urls[0]) as a, Cable(database.urls[1]) as b:
        yield a, b


@pytest.fixture
async def shops(
    scratch: Path, database: ReplicatedDatabase, lines: Sequence[Cable], broker: str
) -> AsyncIterator[list[OnPair]]:
    a, b = lines
    address = a.url.rpartition("/")[0].replace(a.address, f"{a.address},{b.address}")
    for name in DATABASES:
        await create_database(database.url, f"{name}_of_one")
    await remove_queues([broker])
    async with AsyncExitStack() as running:
        three = OnPair(scratch / "three", {name: f"{address}/{name}" for name in DATABASES}, broker)
        one = OnPair(scratch / "one", {name: f"{address}/{name}_of_one" for name in DATABASES}, None)
        for shop in (three, one):  # In turn: alembic has one context in a process.
            await shop.migrate()
        await asyncio.gather(*(running.enter_async_context(shop) for shop in (three, one)))
        yield [three, one]
    await remove_queues([broker])


async def test_a_switchover_under_load_loses_nothing_doubles_nothing_and_shows_nothing_old(
    database: ReplicatedDatabase, lines: Sequence[Cable], shops: list[OnPair]
) -> None:
    people = [Steady(shop.gateway) for shop in shops]

    async def all_served() -> None:
        await asyncio.gather(*(one.served(CALLS) for one in people))

    async with asyncio.TaskGroup() as group:
        for one in people:
            group.create_task(one.run())
        await all_served()
        await database.demote()
        for shop in shops:
            await shop.says(503, "missing: database")
        await database.promote()
        for shop in shops:
            await shop.says(200)
        await all_served()
        await database.rewind()
        for line, url in zip(lines, database.urls, strict=True):
            line.lead_to(url)
        await all_served()
        for one in people:
            one.stop()
    assert [one.faults for one in people] == [[], []]
    print("longest time without service:", *(f"{one.longest_s:.2f} s" for one in people))
    for shop in shops:
        await all_decided(shop)
        report = await audit(on(**shop.databases), at_rest=True)
        assert report.sound, report.faults


async def all_decided(shop: OnPair) -> None:
    async with aiohttp.ClientSession(shop.gateway) as session:

        async def none_is_new() -> bool:
            return await get(session, "/orders?status=NEW&limit=1") == []

        await eventually(none_is_new)
