"""The shop for chaos tests: two replicas of each service, with a Cable on every connection."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import aiohttp

from kernel.domain.caller import Role
from tests.servers.cable import Cable
from tests.servers.database import Database
from tests.servers.keys import Keys
from tests.servers.ports import free_port
from tests.servers.process import Process, answers_ready, eventually
from tests.servers.rabbitmq import PrivateRabbitMQ

REPLICAS = {"orders": ("orders-1", "orders-2"), "payments": ("payments-1", "payments-2")}
SERVICES = tuple(REPLICAS)
ERROR = '"level": "error"'
# A process that is told to end while its database stalls waits only as long as it may; its clients were
# answered.
PATIENCE_ENDED = "timeout graceful shutdown exceeded"
WATCH_EVERY_S = 0.1
STARTS_WITHIN_S = 60
HEALS_WITHIN_S = 60


class Replica:
    """A process that is started again whenever it ends, as an orchestrator would."""

    def __init__(self, service: str, url: str, process: Process) -> None:
        self.service = service
        self.url = url
        self.process = process
        self.crashes: list[str] = []
        self._held = False
        self._was_ready = False

    async def keep_running(self) -> None:
        while True:
            if self.process.runs:
                self._was_ready = self._was_ready or await answers_ready(self.url)
            elif not self._held:
                # One that never got ready missed its database or its broker, and said so.
                if self._was_ready:
                    self.crashes.append(f"{self.process} ended by itself:\n{self.process.last_words}")
                self._spawn()
            await asyncio.sleep(WATCH_EVERY_S)

    def _spawn(self) -> None:
        self._was_ready = False
        self.process.spawn()

    def kill(self) -> None:
        """Kills the process with SIGKILL. It is not restarted until `release`."""
        self._held = True
        self.process.kill()

    async def terminate(self) -> None:
        """Ends the process with SIGTERM, until `release`. Raises AssertionError if it does not end."""
        self._held = True
        await self.process.terminate(within=30)

    @property
    def errors(self) -> list[str]:
        """The lines that the process logged as unexpected errors."""
        lines = self.process.stderr.splitlines()
        return [line for line in lines if ERROR in line and PATIENCE_ENDED not in line]

    def release(self) -> None:
        self._was_ready = False
        self._held = False


class ChaosShop:
    """A shop under faults. `brokers` are the nodes that faults may kill; none if the broker is shared."""

    def __init__(
        self,
        directory: Path,
        databases: Mapping[str, Database],
        broker_urls: Sequence[str],
        brokers: Sequence[PrivateRabbitMQ] = (),
    ) -> None:
        self.databases = databases
        self.broker_urls = broker_urls
        self.brokers = brokers
        self.keys = Keys(directory / "keys")
        self.replicas: dict[str, Replica] = {}
        self.lines: dict[str, list[Cable]] = {}
        """By their names, like `orders-1 to broker`: a cable to every node of the server."""
        self._directory = directory
        self._keeping: list[asyncio.Task[None]] = []

    @property
    def gateway(self) -> str:
        return self.replicas["gateway"].url

    @property
    def database_urls(self) -> dict[str, str]:
        """The URLs of the databases themselves, without the cables."""
        return {name: database.url for name, database in self.databases.items()}

    def as_operator(self, timeout_s: float = 60) -> aiohttp.ClientSession:
        """A session at the gateway that sees all."""
        headers, timeout = self.keys.headers("prover", Role.OPERATOR), aiohttp.ClientTimeout(total=timeout_s)
        return aiohttp.ClientSession(self.gateway, headers=headers, timeout=timeout)

    def replicas_of(self, service: str) -> list[Replica]:
        return [replica for replica in self.replicas.values() if replica.service == service]

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    async def _start(self) -> None:
        for database in self.databases.values():
            await database.start()
        await self._migrate()
        urls = {
            name: f"http://127.0.0.1:{free_port()}"
            for name in [*REPLICAS["payments"], *REPLICAS["orders"], "gateway"]
        }
        behind = {service: [urls[name] for name in names] for service, names in REPLICAS.items()}
        for service, names in REPLICAS.items():
            for name in names:
                settings = self._servers_of(service, name)
                if service == "orders":
                    settings["PAYMENTS_URL"] = self._lay(f"{name} to payments", *behind["payments"])
                self._add(name, service, urls[name], settings)
        environment = {
            f"{service.upper()}_URL": self._lay(f"gateway to {service}", *found)
            for service, found in behind.items()
        }
        self._add("gateway", "gateway", urls["gateway"], environment)
        await asyncio.gather(*(cable.mend() for line in self.lines.values() for cable in line))
        self._keeping = [asyncio.create_task(replica.keep_running()) for replica in self.replicas.values()]
        await self.healthy(within=STARTS_WITHIN_S)

    def _servers_of(self, service: str, replica: str) -> dict[str, str]:
        """The database and the broker of a replica, each at the end of a line of its own."""
        database = [Cable(url) for url in self.databases[service].urls]
        broker = [Cable(url) for url in self.broker_urls]
        self.lines[f"{replica} to database"] = database
        self.lines[f"{replica} to broker"] = broker
        first, addresses = database[0], ",".join(cable.address for cable in database)
        return {
            f"{service.upper()}_DATABASE_URL": first.url.replace(first.address, addresses),
            "RABBITMQ_URL": ",".join(cable.url for cable in broker),
        }

    def _lay(self, name: str, *urls: str) -> str:
        cable = Cable(*urls)
        self.lines[name] = [cable]
        return cable.url

    def _add(self, name: str, service: str, url: str, settings: Mapping[str, str]) -> None:
        port = {f"{service.upper()}_PORT": url.rpartition(":")[2]}
        process = Process(
            "serve",
            service,
            settings={**settings, **port, **self.keys.settings, "LOG_FORMAT": "json"},
            logs=self._directory / "logs" / name,
        )
        self.replicas[name] = Replica(service, url, process)

    async def _migrate(self) -> None:
        settings = {f"{name.upper()}_DATABASE_URL": url for name, url in self.database_urls.items()}
        migration = Process("migrate", "all", settings=settings, logs=self._directory / "logs" / "migration")
        await migration.succeed()

    def lines_to_database(self, service: str) -> list[list[Cable]]:
        """The line to the database of each replica."""
        return [self.lines[f"{replica} to database"] for replica in REPLICAS[service]]

    def database_moved(self, service: str) -> None:
        """Leads the cables to the new addresses of the database's nodes."""
        for line in self.lines_to_database(service):
            for cable, url in zip(line, self.databases[service].urls, strict=True):
                cable.lead_to(url)

    async def healthy(self, *, within: float = HEALS_WITHIN_S) -> None:
        """Waits until every process is ready and reaches its servers. Else raises AssertionError."""
        for name, replica in self.replicas.items():
            try:
                await eventually(lambda url=replica.url: misses_nothing(url), within=within)
            except AssertionError as error:
                raise AssertionError(f"{name}: {error}\n{replica.process.last_words}") from None

    async def _stop(self) -> None:
        for task in self._keeping:
            task.cancel()
        await asyncio.gather(*self._keeping, return_exceptions=True)
        await asyncio.gather(*(replica.process.stop() for replica in self.replicas.values()))
        for line in self.lines.values():
            for cable in line:
                await cable.cut()
        for database in self.databases.values():
            database.stop()


async def misses_nothing(url: str) -> bool:
    health: Any = None
    with suppress(aiohttp.ClientError, TimeoutError):
        timeout = aiohttp.ClientTimeout(total=5)
        async with aiohttp.request("GET", f"{url}/health/ready", timeout=timeout) as answer:
            health = await answer.json()
            if answer.status == 200 and not health.get("degraded"):
                return True
    raise AssertionError(f"not well yet: {health}")
