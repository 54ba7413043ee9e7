"""The parts of the proof, each with its share of the time."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from tests.chaos.engine import Chaos
from tests.chaos.facts import Facts
from tests.chaos.faults import KINDS
from tests.chaos.losing import lose_servers
from tests.chaos.messages import remove_queues
from tests.chaos.shop import SERVICES, ChaosShop
from tests.chaos.simulating import simulate
from tests.chaos.switching import switch_over_and_back
from tests.servers.broker import Broker
from tests.servers.database import Database, ReplicatedDatabase
from tests.servers.lanes import LaneServers, ThreeOnLanes
from tests.servers.postgres import Template
from tests.servers.rabbit_cluster import RabbitCluster
from tests.servers.rabbitmq import installed_server

SIMULATION_SHARE = 0.4
SCHEDULES_PER_S = 20
# A cluster takes half a minute to form, so a short proof goes without.
REPLICATED_FROM_S = 150.0
REPLICATED_SHARE = 0.3
REPLICATED_S_MIN = 75.0
SWITCHING_SHARE = 0.1
# A shop with lanes on two servers, which starts in a quarter of a minute.
LOSING_SHARE = 0.08
LOSING_S_MIN = 40.0

ROUND_S_MAX = 60.0
ROUND_S_MIN = 10.0
# For the servers to come back, the last decisions, and the books.
CLOSING_S = 15.0
FAULT_S_MAX = 12.0
FAULT_EVERY_S = 1.4


class Proof:
    """Runs the whole proof. Create it on the main thread, outside an event loop."""

    def __init__(self, seed: int, seconds: float, report: Callable[[str], None]) -> None:
        self._seed = seed
        self._seconds = seconds
        self._ends_at = time.monotonic() + seconds
        self._report = report
        self._directory = Path(tempfile.mkdtemp(prefix="shop-proof-"))
        # PostgreSQL runs as another user where we are root.
        self._directory.chmod(0o755)
        self.facts = Facts(seed, str(self._directory))

    def run(self) -> Facts:
        """Raises NoBroker. What was written down is kept where something was broken."""
        self._report("the servers start")
        broker = Broker(self._directory / "broker")
        try:
            url = broker.url()
            template = Template(self._directory / "template")
            self._simulate()
            asyncio.run(self._plain(template, broker, url))
            if self._losing_s:
                asyncio.run(self._on_lanes(template, url))
        finally:
            broker.close()
        if self._seconds >= REPLICATED_FROM_S and installed_server():
            asyncio.run(self._replicated(template))
        if not self.facts.broken:
            shutil.rmtree(self._directory, ignore_errors=True)
        return self.facts

    def _simulate(self) -> None:
        simulated = simulate(
            self._seed,
            within_s=SIMULATION_SHARE * self._seconds,
            schedules_max=round(SCHEDULES_PER_S * self._seconds),
            report=self._report,
        )
        self.facts.add_simulated(simulated)

    async def _plain(self, template: Template, broker: Broker, url: str) -> None:
        """Rounds of chaos with one broker, and one server for each database."""
        directory = self._directory / "plain"
        databases = {name: Database(directory / f"{name}-database", name, template) for name in SERVICES}
        brokers = [broker.node] if broker.node else []
        ends_at = self._ends_at - self._replicated_s - self._losing_s
        await remove_queues([url])
        async with ChaosShop(directory, databases, [url], brokers) as shop:
            await self._rounds(Chaos(shop, str(self._seed), list(KINDS), FAULT_S_MAX, FAULT_EVERY_S), ends_at)
        await remove_queues([url])

    async def _on_lanes(self, template: Template, url: str) -> None:
        """Lanes on two servers, which die in turn."""
        self._report("the servers of lanes start")
        ends_at = time.monotonic() + self._losing_s - LOSING_S_MIN / 2
        directory = self._directory / "lanes"
        async with ThreeOnLanes(directory, LaneServers(directory, template), url) as shop:
            self.facts.add_lost(await lose_servers(shop, ends_at, self._report))
        await remove_queues([url])

    @property
    def _losing_s(self) -> float:
        """Seconds for the part on lanes; 0 in a short proof."""
        if self._seconds < REPLICATED_FROM_S:
            return 0.0
        return max(LOSING_S_MIN, LOSING_SHARE * self._seconds)

    async def _replicated(self, template: Template) -> None:
        """Three brokers, and a synchronous standby of each database."""
        directory = self._directory / "replicated"
        databases = {
            name: ReplicatedDatabase(directory / f"{name}-database", name, template) for name in SERVICES
        }
        self._report("a cluster of brokers forms")
        async with running(RabbitCluster(directory / "brokers")) as cluster:
            urls = [node.url for node in cluster.nodes]
            async with ChaosShop(directory, databases, urls, cluster.nodes) as shop:
                ends_at = time.monotonic() + SWITCHING_SHARE * self._seconds
                switched = await switch_over_and_back(shop, ends_at, self._report)
                self.facts.add_switched(switched)
                chaos = Chaos(
                    shop, f"{self._seed}-replicated", list(KINDS), FAULT_S_MAX, FAULT_EVERY_S, cluster=cluster
                )
                chaos.history.others |= switched.users
                await self._rounds(chaos, self._ends_at)

    @property
    def _replicated_s(self) -> float:
        if self._seconds < REPLICATED_FROM_S or not installed_server():
            return 0.0
        return max(REPLICATED_S_MIN, REPLICATED_SHARE * self._seconds)

    async def _rounds(self, chaos: Chaos, ends_at: float) -> None:
        """Runs rounds until `ends_at`, at least one. Stops at a broken promise."""
        chaos.report = self._report
        seconds = ROUND_S_MIN
        while seconds >= ROUND_S_MIN and not chaos.history.violations:
            left_s = ends_at - time.monotonic() - CLOSING_S
            seconds = min(ROUND_S_MAX, max(ROUND_S_MIN, left_s))
            await chaos.round(seconds)
            seconds = ends_at - time.monotonic() - CLOSING_S
        self.facts.add_chaos(chaos)


@asynccontextmanager
async def running(cluster: RabbitCluster) -> AsyncIterator[RabbitCluster]:
    try:
        await cluster.start()
        yield cluster
    finally:
        cluster.kill()
