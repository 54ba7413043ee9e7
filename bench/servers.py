"""Starts a real shop on its own PostgreSQL and RabbitMQ servers, with every guarantee switched on."""

import asyncio
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Self

import aio_pika
from aio_pika.exceptions import ChannelNotFoundEntity

from bench.usage import cpu_s
from kernel.adapters.embedded.account import Account
from kernel.adapters.embedded.binaries import find_binaries
from kernel.adapters.embedded.postgres import EmbeddedPostgres
from kernel.adapters.lanes.lane import every_lane
from kernel.adapters.postgres.connections.urls import in_schema
from shop.audit.auditing import audit
from shop.services import load_shop
from tests.servers.database import connected
from tests.servers.postgres import create_database
from tests.servers.process import Process, StartFailed
from tests.servers.rabbitmq import PrivateRabbitMQ

USERS = 10_000
BALANCE = 10**12

# For the shop and for its floors alike. fsync and synchronous_commit stay on.
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
TABLES = {
    "orders": ("orders", "order_history", "outbox", "inbox", "parked_messages"),
    "payments": ("accounts", "transfers", "payments", "outbox", "inbox", "parked_messages"),
}


class Servers:
    """Two migrated PostgreSQL servers and a RabbitMQ. The database `bare` has the tables of both services."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._stack = ExitStack()
        self._clusters = {
            name: EmbeddedPostgres(directory / name, database=name, options=POSTGRES) for name in TABLES
        }
        self._rabbit = PrivateRabbitMQ(directory / "rabbitmq")
        self.databases: dict[str, str] = {}
        self.lanes = 1
        """The number of lanes of each database in `databases`."""
        self._in_lanes: dict[str, str] = {}
        self.bare = ""

    def __enter__(self) -> Self:
        self._rabbit.begin()
        self._stack.callback(self._rabbit.kill)
        for name, cluster in self._clusters.items():
            self.databases[name] = self._stack.enter_context(cluster).url
        self.bare = asyncio.run(create_database(self.databases["orders"], "bare"))
        asyncio.run(self._migrate("all", self.settings))
        asyncio.run(self._migrate("orders", {"ORDERS_DATABASE_URL": self.bare}))
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

    @property
    def settings(self) -> dict[str, str]:
        """The settings of a shop on `databases`."""
        urls = {f"{name.upper()}_DATABASE_URL": url for name, url in self.databases.items()}
        return {"SHOP_LANES": str(self.lanes), **urls}

    def tool(self, name: str, *arguments: str, input: str | None = None) -> str:
        """The output of a program that comes with PostgreSQL."""
        binaries = find_binaries(Account.able_to_run(self.directory / "orders" / "cluster"))
        done = subprocess.run(
            [str(binaries / name), *arguments], input=input, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise StartFailed(f"{name} ended with {done.returncode}: {done.stderr[-2000:]}")
        return done.stdout

    @asynccontextmanager
    async def in_lanes(self, count: int) -> AsyncIterator[None]:
        """During the block, `databases` names other databases on the same servers, with `count` lanes."""
        before = self.databases
        if not self._in_lanes:
            self._in_lanes = {name: await create_database(url, "in_lanes") for name, url in before.items()}
        self.databases, self.lanes = self._in_lanes, count
        try:
            await self._migrate("all", self.settings)
            yield
        finally:
            self.databases, self.lanes = before, 1

    def urls_of(self, service: str) -> list[str]:
        """The URL of each lane; a session of it finds the lane's tables by their names."""
        url = self.databases[service]
        return [in_schema(url, lane.schema) if lane.schema else url for lane in every_lane(self.lanes)]

    async def _migrate(self, service: str, settings: Mapping[str, str]) -> None:
        process = Process("migrate", service, settings=settings, logs=self.directory / "logs")
        process.spawn()
        if await process.ended():
            raise StartFailed(process.last_words)

    def cpu_s(self) -> dict[str, float]:
        """CPU time of each server so far."""
        pids = {f"{name}-db": cluster.pid for name, cluster in self._clusters.items()}
        return {name: cpu_s(pid) for name, pid in {**pids, "rabbitmq": self._rabbit.pid}.items() if pid}

    async def audited(self) -> None:
        """Raises AssertionError unless every order and balance is right and no work is pending."""
        found = await audit(load_shop(self.settings), at_rest=True)
        assert found.sound, found

    async def empty(self) -> None:
        """Removes all orders and messages, and funds every account with BALANCE again."""
        await self._purge()
        for name, tables in TABLES.items():
            for lane, url in enumerate(self.urls_of(name)):
                await self._refill(url, tables, lane)
        await self._refill(self.bare, [*TABLES["orders"], *TABLES["payments"][:3]])

    async def _purge(self) -> None:
        """Empties the queues: late answers about decided orders may still be there, if orders asked again."""
        async with await aio_pika.connect(self.rabbitmq) as connection:
            for service in TABLES:
                channel = await connection.channel()
                with suppress(ChannelNotFoundEntity):
                    queue = await channel.declare_queue(service, passive=True)
                    await queue.purge()

    async def _refill(self, url: str, tables: Sequence[str], lane: int = 0) -> None:
        async with connected(url) as database:
            await database.execute(f"TRUNCATE {', '.join(tables)}")
            if "accounts" in tables:
                await database.execute(ACCOUNTS, USERS, BALANCE, self.lanes, lane)
                await database.execute(DEPOSITS)
            await database.execute("VACUUM ANALYZE")
            await database.execute("CHECKPOINT")


@contextmanager
def private_servers() -> Iterator[Servers]:
    """Servers in a temporary folder, which is removed at the end."""
    directory = Path(tempfile.mkdtemp(prefix="shop-bench-"))
    directory.chmod(0o755)
    try:
        with Servers(directory) as servers:
            yield servers
    finally:
        shutil.rmtree(directory, ignore_errors=True)
