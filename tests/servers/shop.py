"""Runs the shop as operators do: real processes of the `shop` command, on free ports.

The environment of a process contains only declared settings. All processes end with the test run, even if
pytest is killed.
"""

import asyncio
import os
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

from yarl import URL

from kernel.adapters.embedded.postgres import EmbeddedPostgres
from kernel.adapters.lanes.lane import LaneFinder, every_lane
from kernel.adapters.postgres.connections.urls import in_schema
from kernel.adapters.rabbit.declaring import declare_at
from kernel.adapters.rabbit.definitions import OPERATOR
from tests.catalog import CATALOG
from tests.servers.cable import Cable
from tests.servers.ports import free_port
from tests.servers.postgres import Template
from tests.servers.process import Process, start_together

SERVICES = ("gateway", "orders", "payments")
# The number of lanes of every shop whose test does not set another number.
LANES = int(os.environ.get("SPEC_LANES", "1"))


def schema_of(user: str | None = None) -> str:
    """The schema that has the tables of this user's lane. None: those of the first lane."""
    number = 0 if user is None else LaneFinder(LANES).of_user(user)
    return every_lane(LANES)[number].schema or "public"


def lane_urls(url: str) -> list[str]:
    """The URL of each lane of a database. A session of it finds the tables of its lane by their names."""
    return [in_schema(url, lane.schema) if lane.schema else url for lane in every_lane(LANES)]


class Shop(ABC):
    """A running shop: where it answers, and its processes by name."""

    def __init__(self, directory: Path, *, lanes: int = LANES) -> None:
        self.directory = directory
        ports = {service: free_port() for service in SERVICES}
        self.urls = {service: f"http://127.0.0.1:{port}" for service, port in ports.items()}
        self.settings = {f"{service.upper()}_PORT": str(port) for service, port in ports.items()}
        self.settings["SHOP_LANES"] = str(lanes)
        self.processes: dict[str, Process] = {}
        self.database_settings = {"SHOP_LANES": str(lanes)}
        """What a command needs to find the databases. It connects as the owners, for whom a test does what no
        service may. An embedded shop's commands find its URLs in its data directory."""

    @property
    def gateway(self) -> str:
        return self.urls["gateway"]

    @property
    def orders(self) -> str:
        return self.urls["orders"]

    @property
    def payments(self) -> str:
        return self.urls["payments"]

    def process(self, *arguments: str, ready_at: Iterable[str] = (), **settings: str) -> Process:
        """Prepares another `shop …` process with this shop's settings, without starting it."""
        return Process(
            *arguments,
            settings={**self.settings, **settings},
            logs=self.directory / "logs",
            ready_at=ready_at,
        )

    async def says(self, *arguments: str, **settings: str) -> str:
        """Runs a `shop …` command on the shop's databases. Returns its output, or raises StartFailed."""
        command = self.process(*arguments, **{**self.database_settings, **settings})
        await command.succeed(within=60)
        return command.stdout

    @abstractmethod
    async def start(self) -> None: ...

    async def stop(self) -> None:
        await asyncio.gather(*(process.stop() for process in self.processes.values()))

    @asynccontextmanager
    async def without(self, name: str) -> AsyncIterator[None]:
        """Kills a process, and starts it again at the end of the block."""
        process = self.processes[name]
        process.kill()
        try:
            yield
        finally:
            if not process.runs:
                await process.start()

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


class Embedded(Shop):
    """A shop started by `shop up`: one process with embedded databases in its own data directory."""

    def __init__(self, directory: Path, *, lanes: int = LANES) -> None:
        super().__init__(directory, lanes=lanes)
        self.settings |= {"SHOP_DATA_DIR": str(directory / "data")}
        self.processes["up"] = self.process("up", ready_at=self.urls.values())

    @property
    def up(self) -> Process:
        return self.processes["up"]

    def begin(self) -> None:
        """Starts the shop without waiting until it answers."""
        self.up.spawn()

    async def start(self) -> None:
        if not self.up.runs:
            self.begin()
        await self.up.ready(within=60)


class ThreeServices(Shop):
    """Three `shop serve` processes, on two PostgreSQL servers, and on a RabbitMQ behind a Cable."""

    def __init__(
        self,
        directory: Path,
        broker_url: str,
        template: Template,
        *,
        own_users: bool = False,
        lanes: int = LANES,
    ) -> None:
        """With `own_users`, each service connects to the broker as its user of `shop broker definitions`."""
        super().__init__(directory, lanes=lanes)
        self.broker = Cable(broker_url)
        self._own_users = own_users
        self.databases = {
            name: EmbeddedPostgres(template.copy_to(directory / f"{name}-database"), database=name)
            for name in ("orders", "payments")
        }
        self.settings |= {
            "RABBITMQ_URL": self.broker_url_of(OPERATOR),
            "ORDERS_URL": self.orders,
            "PAYMENTS_URL": self.payments,
        }

    async def start(self) -> None:
        await self.broker.mend()
        for name, database in self.databases.items():
            self.database_settings[f"{name.upper()}_DATABASE_URL"] = database.start()
        owners = {f"{name.upper()}_MIGRATION_URL": one.url for name, one in self.databases.items()}
        await self.says("migrate", "all", **owners, **self._of_services())
        await declare_at([self.settings["RABBITMQ_URL"]], CATALOG)
        self.processes = {service: self.serve(service, ready_at=[self.urls[service]]) for service in SERVICES}
        await start_together(self.processes.values())

    def serve(self, service: str, ready_at: Iterable[str] = (), **settings: str) -> Process:
        """Prepares `shop serve` with this service's settings, and without the databases of other services."""
        own = f"{service.upper()}_DATABASE_URL"
        database = {name: url for name, url in self._of_services().items() if name == own}
        broker = {"RABBITMQ_URL": self.broker_url_of(service)}
        return self.process("serve", service, ready_at=ready_at, **(database | broker | settings))

    def broker_url_of(self, user: str) -> str:
        url = URL(self.broker.url)
        return str(url.with_user(user).with_password(user) if self._own_users else url)

    def _of_services(self) -> dict[str, str]:
        return {f"{name.upper()}_DATABASE_URL": one.service_url for name, one in self.databases.items()}

    @asynccontextmanager
    async def others(self, *replicas: tuple[str, Mapping[str, str]]) -> AsyncIterator[list[str]]:
        """Runs an additional replica for each (service, settings). Yields the base URLs of the replicas."""
        processes, urls = [], []
        for service, settings in replicas:
            port = free_port()
            urls.append(f"http://127.0.0.1:{port}")
            own_port = {f"{service.upper()}_PORT": str(port)}
            processes.append(self.serve(service, ready_at=urls[-1:], **own_port, **settings))
        try:
            await start_together(processes)
            yield urls
        finally:
            await asyncio.gather(*(process.stop() for process in processes))

    async def stop(self) -> None:
        await super().stop()
        await self.broker.cut()
        for database in self.databases.values():
            database.stop()
