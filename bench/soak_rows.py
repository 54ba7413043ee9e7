"""The soak of `make bench-long`: its rows, its facts, and what it writes as JSON and as a table."""

import statistics
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table

from bench.benched_shop import BenchedShop
from bench.growth import Growth
from bench.report import Row, console, step
from bench.soak import DATA, LOOKS, PACE_PER_S, Look, soak

WARM_UP_MINUTES = 1.0
MB = 1_000_000


async def soaked(growth: Growth) -> list[Row]:
    await growth.servers.empty()
    async with BenchedShop(growth.servers) as shop:
        with step("warming up for the soak"):
            minutes = min(WARM_UP_MINUTES, growth.minutes)
            await soak(
                shop, growth.servers, minutes=minutes, seed=growth.next_seed(), report=lambda looks: None
            )
        with step(f"{growth.minutes:g} minutes of {PACE_PER_S:g} orders a second"):
            growth.looks, answers = await soak(
                shop, growth.servers, minutes=growth.minutes, seed=growth.next_seed(), report=_report
            )
    latencies_s = sorted(answers.latencies_s)
    growth.facts["ms to answer a POST of the soak, p50"] = latencies_s[len(latencies_s) // 2] * 1000
    growth.facts["ms to answer a POST of the soak, p99"] = latencies_s[len(latencies_s) * 99 // 100] * 1000
    return assessed(growth.looks)


def _report(looks: Sequence[Look]) -> None:
    """Prints ten lines over the whole soak."""
    if len(looks) % (LOOKS // 10) == 0:
        memory = ", ".join(f"{service} {mb:.0f} MB" for service, mb in looks[-1].memory_mb.items())
        console.print(f"         {looks[-1].orders_count:,} orders stored, {memory}")


def assessed(looks: Sequence[Look]) -> list[Row]:
    """The rows of a soak: memory and outboxes may not grow, and data only with the orders."""
    # Quarters, because single looks say little: garbage and vacuums come in waves.
    quarter = max(1, len(looks) // 4)
    start, end = looks[:quarter], looks[-quarter:]
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


def as_json(looks: Sequence[Look], *, minutes: float) -> dict[str, object]:
    first, last = looks[0], looks[-1]
    return {
        "minutes": minutes,
        "orders_per_s": PACE_PER_S,
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
