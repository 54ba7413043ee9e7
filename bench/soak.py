"""A steady load for a long time: nothing may grow but the data."""

import asyncio
import statistics
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

import asyncpg
from rich.console import Console
from rich.table import Table

from bench import rows
from bench.load import Answers, run_paced
from bench.report import Row
from bench.servers import TABLES, BenchedShop, Servers
from tests.servers.process import eventually

# However long the soak: a look counts every row, so it must not become a load of its own.
LOOKS = 60
# What is kept of each order. Inboxes are data too: they remember for a week what was received.
DATA = {
    "orders": ("orders", "order_history", "inbox"),
    "payments": ("accounts", "transfers", "payments", "inbox"),
}
MB = 1_000_000


@dataclass(frozen=True)
class TableSize:
    rows: int
    bytes: int
    """With indexes and TOAST."""
    dead: int
    """Versions of rows that wait for a vacuum, as PostgreSQL estimates them."""


@dataclass(frozen=True)
class Look:
    memory_mb: dict[str, float]
    tables: dict[str, TableSize]
    """By database and table: `orders.outbox`."""

    @property
    def orders_count(self) -> int:
        return self.tables["orders.orders"].rows

    def data_bytes(self, database: str) -> int:
        return sum(self.tables[f"{database}.{table}"].bytes for table in DATA[database])


Report = Callable[[Sequence[Look]], None]


class Eye(Protocol):
    async def __call__(self) -> Look: ...


@asynccontextmanager
async def eye(shop: BenchedShop, servers: Servers) -> AsyncIterator[Eye]:
    """Looks at the services and their databases."""
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
    shop: BenchedShop, servers: Servers, *, minutes: float, per_s: float, seed: int, report: Report
) -> tuple[list[Look], Answers]:
    """A look at the shop at rest, looks under load, and one at rest again; with the answers of the gateway.

    `report` is called with all looks after each of them.
    """
    url, count = f"{shop.urls['gateway']}/orders", max(1, round(60 * minutes * per_s))
    async with eye(shop, servers) as look, asyncio.TaskGroup() as group:
        looks = [await at_rest(servers, count, look)]
        load = group.create_task(run_paced(url, rows.orders(url, count, seed), per_s=per_s))
        while not load.done():
            await asyncio.wait([load], timeout=60 * minutes / LOOKS)
            looks.append(await look())
            report(looks)
        answers = load.result()
        assert answers.statuses == {201: count}, answers.statuses
        looks.append(await at_rest(servers, count, look))
    return looks, answers


async def at_rest(servers: Servers, count: int, look: Eye) -> Look:
    """A look once everything is decided and notified."""
    await rows.decided(servers, count)

    async def nothing_to_publish() -> Look | None:
        seen = await look()
        return seen if not any(seen.tables[f"{name}.outbox"].rows for name in DATA) else None

    seen: Look = await eventually(nothing_to_publish, within=30, every=0.5)
    return seen


def first_and_last(looks: Sequence[Look]) -> tuple[Sequence[Look], Sequence[Look]]:
    """The first and the last quarter, so that no single moment decides: garbage and vacuums come in waves."""
    quarter = max(1, len(looks) // 4)
    return looks[:quarter], looks[-quarter:]


def assessed(looks: Sequence[Look]) -> list[Row]:
    """What may not grow, and what may only grow with the orders."""
    start, end = first_and_last(looks)
    memory = [
        _bounded(
            f"soak-memory-{service}",
            f"soak: memory of {service}",
            _median_mb(start, service),
            _median_mb(end, service),
            factor=1.1,
            plus_mb=5,
        )
        for service in looks[0].memory_mb
    ]
    outboxes = [
        _bounded(
            f"soak-outbox-{name}",
            f"soak: outbox of {name}",
            _largest_mb(start, f"{name}.outbox"),
            _largest_mb(end, f"{name}.outbox"),
            factor=1.2,
            plus_mb=1,
        )
        for name in DATA
    ]
    middle = looks[len(looks) // 2]
    data = [
        Row(
            f"soak-data-{name}",
            f"soak: an order in {name}",
            "first half",
            "B",
            [_bytes_per_order(name, middle, looks[-1])],
            [_bytes_per_order(name, looks[0], middle)],
            at_most=1.4,
        )
        for name in DATA
    ]
    return [*memory, *outboxes, *data]


def _bounded(key: str, title: str, start_mb: float, end_mb: float, *, factor: float, plus_mb: float) -> Row:
    limit = f"{factor:.0%} of its start + {plus_mb:g} MB"
    return Row(key, title, limit, "MB", [end_mb], [factor * start_mb + plus_mb], at_most=1)


def _median_mb(looks: Sequence[Look], service: str) -> float:
    return statistics.median(look.memory_mb[service] for look in looks)


def _largest_mb(looks: Sequence[Look], table: str) -> float:
    return max(look.tables[table].bytes for look in looks) / MB


def _bytes_per_order(database: str, before: Look, after: Look) -> float:
    grown = after.data_bytes(database) - before.data_bytes(database)
    return grown / (after.orders_count - before.orders_count)


def as_json(looks: Sequence[Look], *, minutes: float, per_s: float) -> dict[str, object]:
    first, last = looks[0], looks[-1]
    return {
        "minutes": minutes,
        "orders_per_s": per_s,
        "memory_mb": {
            service: {
                "start": round(first.memory_mb[service], 1),
                "end": round(last.memory_mb[service], 1),
                "largest": round(max(look.memory_mb[service] for look in looks), 1),
            }
            for service in first.memory_mb
        },
        "tables": {
            table: {
                "rows": [size.rows, last.tables[table].rows],
                "bytes": [size.bytes, last.tables[table].bytes],
                "bytes_largest": max(look.tables[table].bytes for look in looks),
                "dead": [size.dead, last.tables[table].dead],
            }
            for table, size in first.tables.items()
        },
    }


def show(console: Console, looks: Sequence[Look]) -> None:
    table = Table(title="the soak, from its start to its end")
    for title in ("what", "MB", "", "largest", "rows", "", "dead", ""):
        table.add_column(title, justify="left" if title == "what" else "right")
    for cells in _cells(looks):
        table.add_row(*cells)
    console.print(table)


def _cells(looks: Sequence[Look]) -> Iterator[tuple[str, ...]]:
    first, last = looks[0], looks[-1]
    for service, mb in first.memory_mb.items():
        largest = max(look.memory_mb[service] for look in looks)
        yield f"memory of {service}", f"{mb:.0f}", f"{last.memory_mb[service]:.0f}", f"{largest:.0f}"
    for name, was in first.tables.items():
        now, largest = last.tables[name], max(look.tables[name].bytes for look in looks)
        sizes = (f"{was.bytes / MB:.1f}", f"{now.bytes / MB:.1f}", f"{largest / MB:.1f}")
        yield name, *sizes, f"{was.rows:,}", f"{now.rows:,}", f"{was.dead:,}", f"{now.dead:,}"
