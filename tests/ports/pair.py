"""Two servers of payments that know nothing of each other, as the hosts of one URL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.connections.engine import connect_engine
from kernel.adapters.postgres.migrating.migrate import migrate
from kernel.adapters.postgres.statements.reading import read
from kernel.adapters.postgres.statements.unit_of_work import PostgresUnitOfWork
from kernel.adapters.system_clock import SystemClock
from kernel.domain.caller import ANYONE
from payments.adapters.outbound.postgres import PostgresAccounts
from payments.domain.account import Account
from payments.domain.commands import OpenAccount
from tests.servers.cable import Cable
from tests.servers.database import alter_system
from tests.servers.process import eventually

OF_THE_SHOP = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'shop%'"

NAME = text("SELECT current_setting('cluster_name')")

clock = SystemClock()


@dataclass
class Host:
    url: str
    cable: Cable
    watcher: asyncpg.Connection

    async def read_only(self, value: str) -> None:
        await alter_system(self.watcher, "default_transaction_read_only", value)

    async def has_connections(self, count: int) -> None:
        await eventually(lambda: self._has(count))

    async def _has(self, count: int) -> bool:
        found = await self.watcher.fetchval(OF_THE_SHOP)
        assert found == count, f"{found} connections"
        return True

    async def deposits(self) -> int:
        return int(await self.watcher.fetchval("SELECT count(*) FROM transfers"))


@dataclass
class Pair:
    """`url` names A first; both take writes at first, so that A is the one that is used."""

    a: Host
    b: Host
    url: str
    engine: AsyncEngine

    async def demote(self) -> None:
        await self.a.read_only("on")


async def prepare(url: str) -> None:
    await migrate(url, "payments")
    async with engine_of(url) as engine, PostgresUnitOfWork(engine) as uow:
        ada = OpenAccount(account_id=UUID(int=1), caller=ANYONE, user_id="ada", idempotency_key=None)
        await PostgresAccounts(uow).add([Account.open(ada, "RUB", clock.now())])


@asynccontextmanager
async def engine_of(url: str) -> AsyncIterator[AsyncEngine]:
    engine = connect_engine(url)
    try:
        yield engine
    finally:
        await engine.dispose()


def both(first: Cable, second: Cable) -> str:
    return first.url.replace(first.address, f"{first.address},{second.address}")


async def name(engine: AsyncEngine) -> str:
    [(found,)] = await read(engine, NAME)
    return str(found)
