"""What is measured: a real shop on servers of its own, with every guarantee switched on."""

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Self

import aio_pika
import asyncpg
from aio_pika.exceptions import ChannelNotFoundEntity

from kernel.adapters.embedded.account import Account
from kernel.adapters.embedded.binaries import find_binaries
from kernel.adapters.embedded.postgres import EmbeddedPostgres
from kernel.adapters.lanes.lane import every_lane
from kernel.adapters.postgres.connections.urls import in_schema
from shop.audit.auditing import audit
from shop.services import load_shop
from tests.servers.ports import free_port
from tests.servers.postgres import create_database
from tests.servers.process import Process, StartFailed, descendants, eventually, start_together
from tests.servers.rabbitmq import PrivateRabbitMQ
from tests.servers.shop import SERVICES

USERS = 10_000
BALANCE = 10**12

# The same for the shop and for its floors. fsync and synchronous_commit stay on.
POSTGRES = {"shared_buffers": "512MB", "max_wal_size": "4GB", "checkpoint_timeout": "15min"}

ACCOUNTS = """
INSERT INTO accounts (user_id, id, balance, sequence, currency, created_at)
SELECT 'user-' || n, uuidv7(), $2, 1, 'RUB', now() FROM generate_series(1, $1) n
WHERE get_byte(sha256(convert_to('user-' || n, 'UTF8')), 0) * $3 / 256 = $4
"""
DEPOSITS = """
INSERT INTO transfers
    (user_id, sequence, id, kind, debit_account, credit_account, amount, balance_after, created_at)
SELECT user_id, 1, uuidv7(), 'deposit', 'system:funding', 'user:' || user_id, balance, balance, now()
FROM accounts
"""
OWED = "SELECT id FROM orders WHERE ask_again_at IS NOT NULL ORDER BY ask_again_at LIMIT 1"
TABLES = {
    "orders": ("orders", "order_history", "outbox", "inbox", "parked_messages"),
    "payments": ("accounts", "transfers", "payments", "outbox", "inbox", "parked_messages"),
}


class Servers:
    """Two PostgreSQL servers, migrated, and a RabbitMQ; `bare` holds the tables of both services in one."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._stack = ExitStack()
        self._clusters = {
            name: EmbeddedPostgres(directory / name, database=name, options=POSTGRES) for name in TABLES
        }
        self._rabbit = PrivateRabbitMQ(directory / "rabbitmq")
        self.databases: dict[str, str] = {}
        self.lanes = 1
        """How many lanes each of `databases` has."""
        self._others: dict[str, str] = {}
        self._in_lanes: dict[str, str] = {}
        self.bare = ""

    def __enter__(self) -> Self:
        self._rabbit.begin()
        self._stack.callback(self._rabbit.kill)
        for name, cluster in self._clusters.items():
            self.databases[name] = self._stack.enter_context(cluster).url
            self._others[name] = asyncio.run(create_database(self.databases[name], "other"))
        self.bare = asyncio.run(create_database(self.databases["orders"], "bare"))
        for databases in (self.databases, self._others):
            settings = {f"{name.upper()}_DATABASE_URL": url for name, url in databases.items()}
            self._shop("migrate", "all", **settings)
        self._shop("migrate", "orders", ORDERS_DATABASE_URL=self.bare)
        tables = [f"--table={table}" for table in ("accounts", "transfers", "payments")]
        ddl = self.tool("pg_dump", "--schema-only", *tables, self.databases["payments"])
        self.tool("psql", "--quiet", "--set=ON_ERROR_STOP=1", self.bare, input=ddl)
        self._rabbit.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def rabbitmq(self) -> str:
        return self._rabbit.url

    def tool(self, name: str, *arguments: str, input: str | None = None) -> str:
        """The output of a program that comes with PostgreSQL."""
        binaries = find_binaries(Account.able_to_run(self.directory / "orders" / "cluster"))
        done = subprocess.run(
            [str(binaries / name), *arguments], input=input, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise StartFailed(f"{name} ended with {done.returncode}: {done.stderr[-2000:]}")
        return done.stdout

    @contextmanager
    def other_databases(self) -> Iterator[None]:
        """Meanwhile `databases` are others on the same servers."""
        self.databases, self._others = self._others, self.databases
        try:
            yield
        finally:
            self.databases, self._others = self._others, self.databases

    @asynccontextmanager
    async def in_lanes(self, count: int) -> AsyncIterator[None]:
        """Meanwhile `databases` are others on the same servers, with this number of lanes."""
        before = self.databases
        if not self._in_lanes:
            self._in_lanes = {
                name: await create_database(url, "in_lanes") for name, url in self.databases.items()
            }
            settings = {f"{name.upper()}_DATABASE_URL": url for name, url in self._in_lanes.items()}
            process = self._process("migrate", "all", SHOP_LANES=str(count), **settings)
            process.spawn()
            if await process.ended():
                raise StartFailed(process.last_words)
        self.databases, self.lanes = self._in_lanes, count
        try:
            yield
        finally:
            self.databases, self.lanes = before, 1

    def urls_of(self, service: str) -> list[str]:
        """The URL of each lane, for sessions that find its tables."""
        url = self.databases[service]
        return [in_schema(url, lane.schema) if lane.schema else url for lane in every_lane(self.lanes)]

    def _shop(self, *arguments: str, **settings: str) -> None:
        process = self._process(*arguments, **settings)
        process.spawn()
        if asyncio.run(process.ended()):
            raise StartFailed(process.last_words)

    def _process(self, *arguments: str, **settings: str) -> Process:
        return Process(*arguments, settings=settings, logs=self.directory / "logs")

    def cpu_s(self) -> dict[str, float]:
        """What each server has taken of the processors so far."""
        pids = {f"{name}-db": cluster.pid for name, cluster in self._clusters.items()}
        return {name: cpu_s(pid) for name, pid in {**pids, "rabbitmq": self._rabbit.pid}.items() if pid}

    async def audited(self) -> None:
        """Raises AssertionError unless every order and every balance is right, and nothing is under way."""
        urls = {f"{name.upper()}_DATABASE_URL": url for name, url in self.databases.items()}
        found = await audit(load_shop({"SHOP_LANES": str(self.lanes), **urls}), at_rest=True)
        assert found.sound, found

    async def empty(self) -> None:
        """No order anywhere, no message about one, and every account as funded as ever."""
        await self._purge()
        for name, tables in TABLES.items():
            for lane, url in enumerate(self.urls_of(name)):
                await self._refill(url, tables, lane)
        await self._refill(self.bare, [*TABLES["orders"], *TABLES["payments"][:3]])

    async def _purge(self) -> None:
        """An order that was asked about again has answers on their way when it is long decided."""
        async with await aio_pika.connect(self.rabbitmq) as connection:
            for service in TABLES:
                channel = await connection.channel()
                with suppress(ChannelNotFoundEntity):
                    queue = await channel.declare_queue(service, passive=True)
                    await queue.purge()

    async def _refill(self, url: str, tables: Sequence[str], lane: int = 0) -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(f"TRUNCATE {', '.join(tables)}")
            if "accounts" in tables:
                await connection.execute(ACCOUNTS, USERS, BALANCE, self.lanes, lane)
                await connection.execute(DEPOSITS)
            await connection.execute("VACUUM ANALYZE")
            await connection.execute("CHECKPOINT")
        finally:
            await connection.close()


@contextmanager
def private_servers() -> Iterator[Servers]:
    """Servers in a folder of their own, which goes with them."""
    directory = Path(tempfile.mkdtemp(prefix="shop-bench-"))
    directory.chmod(0o755)
    try:
        with Servers(directory) as servers:
            yield servers
    finally:
        shutil.rmtree(directory, ignore_errors=True)


class BenchedShop:
    """Three services, one process each, as `shop serve` starts them."""

    def __init__(
        self,
        servers: Servers,
        services: Sequence[str] = SERVICES,
        *,
        one_process: bool = False,
        **settings_of: Mapping[str, str],
    ) -> None:
        """`settings_of` a service are its own. With `one_process` everything is in one process."""
        ports = {service: free_port() for service in SERVICES}
        self.urls = {service: f"http://127.0.0.1:{port}" for service, port in ports.items()}
        settings = {
            **{f"{service.upper()}_PORT": str(port) for service, port in ports.items()},
            **{f"{name.upper()}_DATABASE_URL": url for name, url in servers.databases.items()},
            "SHOP_LANES": str(servers.lanes),
            "RABBITMQ_URL": servers.rabbitmq,
            "ORDERS_URL": self.urls["orders"],
            "PAYMENTS_URL": self.urls["payments"],
        }
        self.processes = {
            service: Process(
                "serve",
                service,
                settings={**settings, **settings_of.get(service, {})},
                logs=servers.directory / "logs",
                ready_at=[self.urls[service]],
            )
            for service in services
        }
        if one_process:
            data = {"SHOP_DATA_DIR": str(servers.directory / "data")}
            in_process = {name: value for name, value in settings.items() if name != "RABBITMQ_URL"} | data
            up = Process(
                "up", settings=in_process, logs=servers.directory / "logs", ready_at=self.urls.values()
            )
            self.processes = {"up": up}

    async def __aenter__(self) -> Self:
        await start_together(self.processes.values())
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(process.stop() for process in self.processes.values()))

    def cpu_s(self) -> dict[str, float]:
        """What each service has taken of the processors so far."""
        return {name: cpu_s(process.pid) for name, process in self.processes.items()}

    def memory_mb(self) -> dict[str, float]:
        """Resident memory of each service."""
        return {name: resident_mb(process.pid) for name, process in self.processes.items()}


def cpu_s(pid: int) -> float:
    """Processor time of a process and of all below it, those that ended included."""
    ticks = 0
    for process in {pid, *descendants(pid)}:
        with suppress(FileNotFoundError, ProcessLookupError):
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    kib = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(kib) / 1024


async def all_decided(orders_url: str, *, within: float, every: float = 0.05) -> None:
    """Returns once payments owes no order a decision.

    Such orders are those that are asked about again. The index of them is read, for a search of a million
    orders that look alike would be a load of its own; that none is NEW is then for the audit to say.
    """
    connection = await asyncpg.connect(orders_url)

    async def none_owed() -> bool:
        return await connection.fetchval(OWED) is None

    try:
        await eventually(none_owed, within=within, every=every)
    finally:
        await connection.close()
