"""The passwords of databases and broker are rotated under load; the files that name them are read again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aio_pika
import asyncpg
import pytest
from aio_pika.exceptions import ProbableAuthenticationError
from yarl import URL

from shop.services import load_shop
from shop.serving import open_shop, url_of
from tests.servers.broker import Broker
from tests.servers.database import connected
from tests.servers.ports import free_port
from tests.servers.process import eventually
from tests.servers.shop import SERVICES
from tests.servers.virtual_host import VirtualHost
from tests.spec.scenario import Http, expect, new_user

ROLE = "rotated"
WORKERS = 4
# The role has the new password and the file does not yet: a new connection is refused, and the call with it.
REFUSED = {503}


@dataclass
class Load:
    """Customers who place one order after the other, and what they were answered."""

    http: Http
    gateway: str
    accepted: list[str] = field(default_factory=list)
    statuses: set[int] = field(default_factory=set)

    async def orders(self, user: str) -> None:
        while True:
            answer = await self.http.post(f"{self.gateway}/orders", {"userId": user, "amount": "0.01"})
            self.statuses.add(answer.status)
            if answer.status == 201:
                self.accepted.append(answer.json["id"])

    async def goes_on(self) -> None:
        """Orders are accepted again, and a new one is decided."""
        count = len(self.accepted)
        await eventually(lambda: len(self.accepted) > count + WORKERS)
        await self.is_decided(self.accepted[-1])

    async def is_decided(self, order: str) -> None:
        async def decided() -> bool:
            found = expect(200, await self.http.get(f"{self.gateway}/orders/{order}"))
            return bool(found["status"] == "FINISHED")

        await eventually(decided)


@asynccontextmanager
async def under_load(http: Http, gateway: str) -> AsyncIterator[Load]:
    load = Load(http, gateway)
    async with asyncio.TaskGroup() as group:
        tasks = []
        for _ in range(WORKERS):
            user = new_user()
            expect(201, await http.post(f"{gateway}/accounts", {"userId": user}))
            expect(200, await http.post(f"{gateway}/accounts/{user}/deposit", {"amount": 1000}))
            tasks.append(group.create_task(load.orders(user)))
        await load.goes_on()
        yield load
        for task in tasks:
            task.cancel()
    for order in load.accepted:
        await load.is_decided(order)
    assert load.statuses <= {201} | REFUSED


class Rotating:
    """A URL in a file, and the server where the password of its user is changed."""

    def __init__(self, file: Path, url: str) -> None:
        self.file = file
        self._url = URL(url).with_user(ROLE)
        self.write("one")

    def url(self, password: str) -> str:
        return str(self._url.with_password(password))

    def write(self, password: str) -> None:
        fresh = self.file.with_suffix(".new")
        fresh.write_text(self.url(password) + "\n")
        fresh.replace(self.file)


@pytest.fixture(scope="module")
async def databases(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Rotating]:
    folder, found = tmp_path_factory.mktemp("urls"), {}
    async with connected(postgres_server) as admin:
        await admin.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD 'one'")
        for name in ("orders", "payments"):
            await admin.execute(f"CREATE DATABASE rotated_{name} OWNER {ROLE}")
            found[name] = Rotating(folder / name, str(URL(postgres_server).with_path(f"/rotated_{name}")))
    return found


@pytest.fixture(scope="module")
def rabbit(
    broker: str, coming_broker: Broker, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Rotating, VirtualHost]:
    node = coming_broker.node
    if node is None:
        pytest.skip("RABBITMQ_URL names a broker whose users are not ours")
    host = VirtualHost(node, ROLE, "one")
    return Rotating(tmp_path_factory.mktemp("broker") / "url", host.url("one")), host


@pytest.fixture(scope="module")
async def gateway(
    databases: dict[str, Rotating],
    rabbit: tuple[Rotating, VirtualHost],
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[str]:
    shop = load_shop(
        {
            "SHOP_DATA_DIR": str(tmp_path_factory.mktemp("rotating")),
            "ORDERS_DATABASE_URL_FILE": str(databases["orders"].file),
            "PAYMENTS_DATABASE_URL_FILE": str(databases["payments"].file),
            "RABBITMQ_URL_FILE": str(rabbit[0].file),
        }
        | {f"{service.upper()}_PORT": str(free_port()) for service in SERVICES}
    )
    async with open_shop(shop, asyncio.Event()):
        yield url_of(shop, "gateway")


async def test_a_new_password_of_the_databases_is_taken_under_load(
    http: Http, gateway: str, databases: dict[str, Rotating], postgres_server: str
) -> None:
    async with connected(postgres_server) as admin, under_load(http, gateway) as load:
        await admin.execute(f"ALTER ROLE {ROLE} PASSWORD 'two'")
        for one in databases.values():
            one.write("two")
        await load.goes_on()
        assert load.statuses == {201}, "whoever is connected stays connected"
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(databases["orders"].url("one"))
        await admin.execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{ROLE}'"
        )
        await load.goes_on()


async def test_a_new_password_of_the_broker_is_taken_under_load(
    http: Http, gateway: str, rabbit: tuple[Rotating, VirtualHost]
) -> None:
    url, host = rabbit
    async with under_load(http, gateway) as load:
        await asyncio.to_thread(host.change_password, "two")
        url.write("two")
        with pytest.raises(ProbableAuthenticationError):
            await aio_pika.connect(url.url("one"))
        await asyncio.to_thread(host.close_connections)
        await load.goes_on()

        async def nothing_is_degraded() -> bool:
            return not expect(200, await http.get(f"{gateway}/health/ready")).get("degraded")

        await eventually(nothing_is_degraded)  # The gateway listens to the broker too.
    assert load.statuses == {201}, "orders are accepted without a broker"
