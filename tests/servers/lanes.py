"""Two PostgreSQL servers that hold two lanes of each service, and shops on them."""

from pathlib import Path

from kernel.adapters.embedded.postgres import EmbeddedPostgres
from kernel.adapters.rabbit.declaring import declare_at
from tests.catalog import CATALOG
from tests.servers.cable import Cable
from tests.servers.postgres import Template, crash
from tests.servers.process import start_together
from tests.servers.shop import SERVICES, Embedded, Shop

LANES = 4
LANES_OF_SERVER = ((0, 1), (2, 3))
STORES = ("orders", "payments")


class LaneServers:
    """Two servers: the first has lanes 0 and 1, the second 2 and 3. Each service has a cable to each."""

    def __init__(self, directory: Path, template: Template) -> None:
        self._servers = [
            EmbeddedPostgres(template.copy_to(directory / f"server-{number}"), database="orders")
            for number in range(2)
        ]
        self.cables: dict[str, list[Cable]] = {}

    async def start(self) -> None:
        for server in self._servers:
            server.start()
        self.cables = {
            service: [Cable(_of(server.service_url, service)) for server in self._servers]
            for service in STORES
        }
        for cable in self._all_cables:
            await cable.mend()

    async def stop(self) -> None:
        for cable in self._all_cables:
            await cable.cut()
        for server in self._servers:
            server.stop()

    async def crash(self, number: int) -> None:
        """Crashes the server, and cuts every connection to it, as when a machine fails."""
        crash(self._servers[number])
        for service in STORES:
            await self.cables[service][number].cut()

    async def start_again(self, number: int) -> None:
        url = self._servers[number].start()
        for service in STORES:
            self.cables[service][number].lead_to(url)
            await self.cables[service][number].mend()

    @property
    def settings(self) -> dict[str, str]:
        found = {}
        for service, cables in self.cables.items():
            owners = [_of(server.url, service) for server in self._servers]
            found[f"{service.upper()}_LANE_URLS"] = _named([cable.url for cable in cables])
            found[f"{service.upper()}_MIGRATION_URL"] = _named(owners)
        return found

    def owner_url(self, server: int, service: str) -> str:
        return _of(self._servers[server].url, service)

    @property
    def _all_cables(self) -> list[Cable]:
        return [cable for cables in self.cables.values() for cable in cables]


class EmbeddedOnLanes(Embedded):
    """A shop started by `shop up`, with its lanes on a LaneServers."""

    def __init__(self, directory: Path, servers: LaneServers) -> None:
        super().__init__(directory, lanes=LANES)
        self.servers = servers

    async def start(self) -> None:
        await self.servers.start()
        self.settings |= self.servers.settings
        self.processes["up"] = self.process("up", ready_at=self.urls.values())
        await super().start()

    async def stop(self) -> None:
        await super().stop()
        await self.servers.stop()


class ThreeOnLanes(Shop):
    """Three `shop serve` processes, with their lanes on a LaneServers, and with a RabbitMQ of their own."""

    def __init__(self, directory: Path, servers: LaneServers, broker_url: str) -> None:
        super().__init__(directory, lanes=LANES)
        self.servers = servers
        self.settings |= {
            "RABBITMQ_URL": broker_url,
            "ORDERS_URL": self.orders,
            "PAYMENTS_URL": self.payments,
        }

    async def start(self) -> None:
        await self.servers.start()
        self.settings |= self.servers.settings
        await self.says("migrate", "all")
        await declare_at([self.settings["RABBITMQ_URL"]], CATALOG)
        self.processes = {
            service: self.process("serve", service, ready_at=[self.urls[service]]) for service in SERVICES
        }
        await start_together(self.processes.values())

    async def stop(self) -> None:
        await super().stop()
        await self.servers.stop()


OnLanes = EmbeddedOnLanes | ThreeOnLanes


def _of(url: str, service: str) -> str:
    """The URL of the service's database on the server of `url`."""
    return f"{url.rpartition('/')[0]}/{service}"


def _named(urls: list[str]) -> str:
    first, second = urls
    return f"0-1={first};2-3={second}"
