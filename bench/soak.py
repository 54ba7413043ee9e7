"""A steady load for a long time, with regular looks at the memory and the tables of the shop."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

import asyncpg

from bench import rows
from bench.benched_shop import BenchedShop
from bench.load import Answers, run_paced
from bench.servers import TABLES, Servers
from tests.servers.process import eventually

# A tenth of what the shop can do: a soak looks for leaks, not for the limit.
PACE_PER_S = 200.0
# The same for every length of a soak: a look counts every row, so many looks would be a load of their own.
LOOKS = 60
# The tables that keep something of each order. Inboxes belong to them: they keep received ids for a week.
DATA = {
    "orders": ("orders", "order_history", "inbox"),
    "payments": ("accounts", "transfers", "payments", "inbox"),
}


@dataclass(frozen=True)
class TableSize:
    rows: int
    bytes: int
    """The size in bytes, with indexes and TOAST."""
    dead: int
    """Row versions that wait for a vacuum, by PostgreSQL's estimate."""


@dataclass(frozen=True)
class Look:
    """The memory of the services and the sizes of all tables at one moment."""

    memory_mb: dict[str, float]
    tables: dict[str, TableSize]
    """The sizes, by database and table, for example `orders.outbox`."""

    @property
    def orders_count(self) -> int:
        return self.tables["orders.orders"].rows

    def data_bytes(self, database: str) -> int:
        return sum(self.tables[f"{database}.{table}"].bytes for table in DATA[database])


Report = Callable[[Sequence[Look]], None]


class Observer(Protocol):
    async def __call__(self) -> Look: ...


@asynccontextmanager
async def observer(shop: BenchedShop, servers: Servers) -> AsyncIterator[Observer]:
    """Connects to the databases, and gives a function that takes a Look."""
    connections = {name: await asyncpg.connect(url) for name, url in servers.databases.items()}

    async def look() -> Look:
        tables = {
            f"{name}.{row['name']}": TableSize(row["rows"], row["bytes"], row["dead"])
            for name, connection in connections.items()
            for row in await connection.fetch(_sizes(TABLES[name]))
        }
        return Look(shop.memory_mb(), tables)

    try:
        yield look
    finally:
        for connection in connections.values():
            await connection.close()


def _sizes(tables: Sequence[str]) -> str:
    return " UNION ALL ".join(
        f"SELECT '{table}' AS name, (SELECT count(*) FROM {table}) AS rows,"
        f" pg_total_relation_size('{table}') AS bytes,"
        f" pg_stat_get_dead_tuples(CAST('{table}' AS regclass)) AS dead"
        for table in tables
    )


async def soak(
    shop: BenchedShop, servers: Servers, *, minutes: float, seed: int, report: Report
) -> tuple[list[Look], Answers]:
    """One look at rest, LOOKS looks under load, and one at rest again; and the answers of the gateway.

    `report` is called after each look under load, with all looks so far.
    """
    url, count = f"{shop.urls['gateway']}/orders", max(1, round(60 * minutes * PACE_PER_S))
    async with observer(shop, servers) as look, asyncio.TaskGroup() as group:
        looks = [await at_rest(servers, count, look)]
        load = group.create_task(run_paced(url, rows.orders(url, count, seed), per_s=PACE_PER_S))
        while not load.done():
            await asyncio.wait([load], timeout=60 * minutes / LOOKS)
            looks.append(await look())
            report(looks)
        answers = load.result()
        assert answers.statuses == {201: count}, answers.statuses
        looks.append(await at_rest(servers, count, look))
    return looks, answers


async def at_rest(servers: Servers, count: int, look: Observer) -> Look:
    """Waits until every order is decided and every outbox is empty. Then takes a Look."""
    await rows.decided(servers, count)

    async def nothing_to_publish() -> Look | None:
        seen = await look()
        return seen if not any(seen.tables[f"{name}.outbox"].rows for name in DATA) else None

    seen: Look = await eventually(nothing_to_publish, within=30, every=0.5)
    return seen
