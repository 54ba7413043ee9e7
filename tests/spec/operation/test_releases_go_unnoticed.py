"""A release under load: the schema first, then replica after replica. Nobody notices."""

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import aiohttp
import pytest

from kernel.adapters.postgres.checks.schema import revision
from kernel.adapters.postgres.connections.engine import connect_engine
from kernel.adapters.postgres.migrating import migrate as migrating
from tests.servers.balancer import Balancer
from tests.servers.process import Process, eventually, start_together
from tests.servers.shop import SERVICES, ThreeServices, free_port, lane_urls
from tests.spec.scenario import Http, expect, together
from tests.spec.store import Store

ORDERS_PER_S = 200
CLIENTS = 40
FUNDS = 10_000
PRICE = Decimal("1.00")
DEPOSIT = Decimal("0.01")
# The time that the network of Kubernetes needs until nothing new is sent to a pod that it ends.
PRE_STOP_S = 0.2

# The first half of a change, after which both the code of before and that of after can work.
EXPAND = {
    "orders": "ALTER TABLE orders ADD COLUMN priority integer NOT NULL DEFAULT 0",
    "payments": "ALTER TABLE accounts ADD COLUMN level text NOT NULL DEFAULT 'basic'",
}
TAKE_BACK = {
    "orders": "ALTER TABLE orders DROP COLUMN priority",
    "payments": "ALTER TABLE accounts DROP COLUMN level",
}
MIGRATION = """
from alembic import op

revision = "{number:04}"
down_revision = "{before:04}"


def upgrade() -> None:
    op.execute("{statement}")


def downgrade() -> None:
    pass
"""


@dataclass
class Replicas:
    """Two of each service, behind a balancer for each."""

    balancers: dict[str, Balancer]
    processes: dict[str, dict[str, Process]] = field(default_factory=dict)
    """By service and URL."""

    async def roll(self, service: str) -> None:
        """Replaces one replica after the other, as a Deployment does."""
        balancer = self.balancers[service]
        for url, process in self.processes[service].items():
            balancer.take_out(url)
            await asyncio.sleep(PRE_STOP_S)
            assert await process.terminate() == 0, process.last_words
            balancer.take_back(url)
            process.spawn()
            await eventually(lambda url=url: url in balancer.ready, within=30)


@asynccontextmanager
async def replicas(shop: ThreeServices) -> AsyncIterator[Replicas]:
    """In place of the shop's own services, on its databases and its broker."""
    urls = {service: [f"http://127.0.0.1:{free_port()}" for _ in range(2)] for service in SERVICES}
    found = Replicas({service: Balancer(urls[service]) for service in SERVICES})
    for service in SERVICES:
        found.processes[service] = {
            url: shop.serve(
                service,
                ready_at=[url],
                ORDERS_URL=found.balancers["orders"].url,
                PAYMENTS_URL=found.balancers["payments"].url,
                **{f"{service.upper()}_PORT": url.rpartition(":")[2]},
            )
            for url in urls[service]
        }
    processes = [process for service in SERVICES for process in found.processes[service].values()]
    await asyncio.gather(*(process.terminate() for process in shop.processes.values()))
    try:
        async with AsyncExitStack() as stack:
            await start_together(processes)
            for balancer in found.balancers.values():
                await stack.enter_async_context(balancer)
                await eventually(lambda balancer=balancer: len(balancer.ready) == 2)
            yield found
    finally:
        await asyncio.gather(*(process.stop() for process in processes))
        await start_together(shop.processes.values())


@dataclass
class Clients:
    """Place orders at a steady rate, and read and deposit beside; every answer has to be a success.

    Each waits for its answer before it goes on, so that a slow machine is not flooded.
    """

    store: Store
    users: list[str]
    placed: Counter[str] = field(default_factory=Counter)
    deposited: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    async def run_until(self, over: asyncio.Event) -> None:
        await together(*(self._client(user, over) for user in self.users))

    async def _client(self, user: str, over: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while not over.is_set():
            try:
                await self._shop(user)
            except (AssertionError, aiohttp.ClientError, TimeoutError) as failure:
                self.failures.append(repr(failure))
            due += len(self.users) / ORDERS_PER_S  # what waited for a slow answer is made up for
            await asyncio.sleep(due - loop.time())

    async def _shop(self, user: str) -> None:
        order = expect(201, await self.store.order(user, PRICE))
        self.placed[user] += 1
        if self.placed[user] % 5 == 0:
            expect(200, await self.store.http.get(self.store.order_url(order["id"])))
            await self.store.deposit(user, DEPOSIT)
            self.deposited[user] += 1


@asynccontextmanager
async def next_revision(
    shop: ThreeServices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[None]:
    """Both databases one revision ahead of the code, which then is taken back."""
    folder = tmp_path / "migrations"
    shutil.copytree(migrating.MIGRATIONS, folder)
    monkeypatch.setattr(migrating, "MIGRATIONS", folder)
    lanes = {name: lane_urls(shop.database_settings[f"{name.upper()}_DATABASE_URL"]) for name in EXPAND}
    engines = [(name, connect_engine(url)) for name, urls in lanes.items() for url in urls]
    before = {name: await revision(engine) for name, engine in engines}
    try:
        for name, urls in lanes.items():
            number = before[name] + 1
            text = MIGRATION.format(number=number, before=before[name], statement=EXPAND[name])
            (folder / name / "versions" / f"{number:04}_next.py").write_text(text)
            assert [await migrating.migrate(url, name) for url in urls] == [number] * len(urls)
        yield
    finally:
        for name, engine in engines:
            async with engine.begin() as connection:
                await connection.exec_driver_sql(TAKE_BACK[name])
                await connection.exec_driver_sql(
                    f"UPDATE alembic_version SET version_num = '{before[name]:04}'"
                )
            await engine.dispose()


async def test_a_release_of_all_services_under_load_fails_no_request_and_loses_no_order(
    three_services: ThreeServices, http: Http, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with replicas(three_services) as running:
        store = Store(
            http, *(f"{running.balancers['gateway'].url}/{path}" for path in ("accounts", "orders"))
        )
        users = await together(*(store.open_account(funds=str(FUNDS)) for _ in range(CLIENTS)))
        clients, over = Clients(store, users), asyncio.Event()
        load = asyncio.create_task(clients.run_until(over))
        try:
            async with next_revision(three_services, tmp_path, monkeypatch):
                # The release of before does not take the schema back.
                await three_services.says("migrate", "all")
                await asyncio.gather(*map(running.roll, SERVICES))
        finally:
            over.set()
            await load

        assert clients.failures == []
        assert clients.placed.total() > ORDERS_PER_S

        async def all_paid() -> bool:
            undecided = await together(*(store.orders_of(user, status="NEW") for user in users))
            assert not any(undecided)
            return True

        await eventually(all_paid)
        for user in users:
            deposited = FUNDS + clients.deposited[user] * DEPOSIT
            assert await store.balance(user) == deposited - clients.placed[user] * PRICE
    await three_services.says("audit")
