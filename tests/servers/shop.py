"""The shop as its operators meet it: real processes of the `shop` command, on free ports.

An environment of a process holds only declared settings. Everything is tied to the life of
the test run: a killed pytest leaves no process behind.
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
from kernel.adapters.rabbit.declaring import declare_at
from kernel.adapters.rabbit.definitions import OPERATOR
from tests.catalog import CATALOG
from tests.servers.cable import Cable
from tests.servers.ports import free_port
from tests.servers.postgres import Template
from tests.servers.process import Process, start_together

SERVICES = ("gateway", "orders", "payments")
# Every shop has so many lanes, unless its test says how many.
LANES = int(os.environ.get("SPEC_LANES", "1"))


class Shop(ABC):
    """A running shop: where it answers, and its processes by name."""

    def __init__(self, directory: Path, *, lanes: int = LANES) -> None:
        self.directory = directory
        ports = {service: free_port() for service in SERVICES}
        self.urls = {service: f"http://127.0.0.1:{port}" for service, port in ports.items()}
        self.settings = {f"{service.upper()}_PORT": str(port) for service, port in ports.items()}
        self.settings["SHOP_LANES"] = str(lanes)
        self.processes: dict[str, Process] = {}
        self.database_settings: dict[str, str] = {}
        """The URLs of the owners, for whom a test does what no service may; an embedded shop's commands find
        them in its data directory."""

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
        """A further `shop …` process beside this shop, not started yet."""
        return Process(
            *arguments,
            settings={**self.settings, **settings},
            logs=self.directory / "logs",
            ready_at=ready_at,
        )

    async def says(self, *arguments: str, **settings: str) -> str:
        """What a `shop …` command prints that finds the databases. Raises StartFailed where it fails."""
        command = self.process(*arguments, **{**self.database_settings, **settings})
        await command.succeed(within=60)
        return command.stdout

    @abstractmethod
    async def start(self) -> None: ...

    async def stop(self) -> None:
        await asyncio.gather(*(process.stop() for process in self.processes.values()))

    @asynccontextmanager
    async def without(self, name: str) -> AsyncIterator[None]:
        """The process is killed, and runs again at the end."""
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
    """`shop up`: one process with its own databases, in a data directory of its own."""

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
    """`shop serve …` three times, over two PostgreSQL servers and a RabbitMQ at the end of a cable."""

    def __init__(
        self,
        directory: Path,
        broker_url: str,
        template: Template,
        *,
        own_users: bool = False,
        lanes: int = LANES,
    ) -> None:
        """`own_users`: the broker has those of `shop broker definitions`, as PrivateRabbitMQ does."""
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
        """`shop serve` with the settings that this service needs, and no other's database."""
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
        """Runs one more replica of each of these services, with other settings; yields their base URLs."""
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
