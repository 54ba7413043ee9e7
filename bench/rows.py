"""The rows of the table: what the shop does, to be held against a floor of the same run."""

import asyncio
import json
import random
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
from uuid_utils.compat import uuid7

from bench.floors import SQL
from bench.load import Answers, post, run_load, run_paced
from bench.servers import BALANCE, USERS, BenchedShop, Servers, all_decided
from kernel.adapters.system_clock import SystemClock
from kernel.application.envelopes import pack
from orders import wire
from orders.domain.events import OrderPlaced
from orders.domain.order import ASK_AGAIN_FIRST
from tests.servers.cable import Cable

CONNECTIONS = 768
# What a transaction says under the load of so many.
BATCH = 190


Bearing = Callable[[str], Mapping[str, str]]


def _nothing(_: str) -> Mapping[str, str]:
    return {}


def orders(
    url: str,
    count: int,
    seed: int,
    headers: Mapping[str, str] | None = None,
    *,
    users: int = USERS,
    bearing: Bearing = _nothing,
) -> Iterator[bytes]:
    """Requests for orders of random users, of so many; `bearing` gives the headers of each."""
    dice = random.Random(seed)
    for _ in range(count):
        user = f"user-{dice.randint(1, users)}"
        body = {"userId": user, "amount": dice.randint(1, 100) / 100}
        yield post(url, json.dumps(body).encode(), {**(headers or {}), **bearing(user)})


async def accepted(
    url: str, count: int, seed: int, *, users: int = USERS, bearing: Bearing = _nothing
) -> Answers:
    requests = list(orders(url, count, seed, users=users, bearing=bearing))
    answers = await run_load(url, iter(requests), connections=CONNECTIONS)
    assert set(answers.statuses) == {201}, answers.statuses
    return answers


async def decided(servers: Servers, count: int) -> None:
    """Returns once all orders are decided; the more there are, the more patient, and the rarer the look."""
    for url in servers.urls_of("orders"):
        await all_decided(url, within=60 + count / 200, every=max(0.05, count / 400_000))


async def decided_per_s(
    shop: BenchedShop,
    servers: Servers,
    count: int,
    seed: int,
    *,
    users: int = USERS,
    bearing: Bearing = _nothing,
) -> tuple[float, Answers]:
    """Orders a second from the first POST at the gateway until the last one is decided."""
    loop = asyncio.get_running_loop()
    answers = await accepted(f"{shop.urls['gateway']}/orders", count, seed, users=users, bearing=bearing)
    accepted_at = loop.time()
    await decided(servers, count)
    return count / (answers.seconds + loop.time() - accepted_at), answers


async def accepted_per_s(shop: BenchedShop, servers: Servers, count: int, seed: int) -> float:
    """Orders a second that the orders service takes by itself, one a call."""
    answers = await accepted(f"{shop.urls['orders']}/api/Order", count, seed)
    await decided(servers, count)
    return answers.per_s


async def accepted_apart_per_s(
    shop: BenchedShop, servers: Servers, payments_cable: Cable, count: int, seed: int
) -> float:
    """The same, while payments checks orders but gets no message: it decides nothing before the end."""
    async with payments_cable.away():
        answers = await accepted(f"{shop.urls['orders']}/api/Order", count, seed)
    await decided(servers, count)
    return answers.per_s


async def drained_per_s(servers: Servers, count: int) -> float:
    """Orders a second from an outbox full of them until the last one is decided."""
    await fill_outbox(servers.databases["orders"], count)
    loop = asyncio.get_running_loop()
    async with BenchedShop(servers, ["orders", "payments"]):
        started = loop.time()
        # What was decided while the other service was still starting is not counted: it would flatter a
        # small backlog, and a big one is held against it.
        early = await _count_decided(servers.databases["orders"])
        await decided(servers, count)
        return (count - early) / (loop.time() - started)


async def _count_decided(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM orders WHERE status <> 'NEW'"))
    finally:
        await connection.close()


async def fill_outbox(url: str, count: int) -> None:
    """Orders that were accepted while nothing could be published."""
    now = datetime.now(UTC)
    trace = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-00"
    connection = await asyncpg.connect(url)
    try:
        placed = await _store_new(connection, count, now, ask_again_at=now + ASK_AGAIN_FIRST)
        events = [
            OrderPlaced(order_id=order_id, user_id=user, traceparent=trace, amount=100, currency="RUB")
            for order_id, user in placed
        ]
        rows = [
            (row.type, row.id, row.events, row.count)
            for start in range(0, count, BATCH)
            for row in pack(events[start : start + BATCH], wire.encode, SystemClock())
        ]
        columns = ["type", "id", "event", "count"]
        await connection.copy_records_to_table("outbox", records=rows, columns=columns)
        await connection.execute("ANALYZE")
    finally:
        await connection.close()


async def store_undecided(servers: Servers, count: int) -> list[UUID]:
    """Orders that nobody asks payments about, so they stay NEW until `ask_about_all`."""
    connection = await asyncpg.connect(servers.databases["orders"])
    try:
        placed = await _store_new(connection, count, datetime.now(UTC), ask_again_at=None)
        return [order_id for order_id, _ in placed]
    finally:
        await connection.close()


async def ask_about_all(servers: Servers) -> None:
    """What is NEW becomes overdue, and is asked about by the shop itself."""
    connection = await asyncpg.connect(servers.databases["orders"])
    try:
        await connection.execute("UPDATE orders SET ask_again_at = now() WHERE status = 'NEW'")
    finally:
        await connection.close()


async def _store_new(
    connection: asyncpg.Connection, count: int, now: datetime, *, ask_again_at: datetime | None
) -> list[tuple[UUID, str]]:
    """The id and the user of each."""
    keys = [(uuid7(), f"user-{1 + number % USERS}") for number in range(count)]
    placed = [
        (user, order_id, 100, "RUB", "", "NEW", str(order_id), ask_again_at, now, now)
        for order_id, user in keys
    ]
    columns = (
        "user_id id amount currency description status idempotency_key ask_again_at created_at updated_at"
    )
    await connection.copy_records_to_table("orders", records=placed, columns=columns.split())
    changes = [(user, order_id, 1, "NEW", now) for order_id, user in keys]
    columns = "user_id order_id sequence status at"
    await connection.copy_records_to_table("order_history", records=changes, columns=columns.split())
    return keys


async def finished_latencies(shop: BenchedShop, count: int, per_s: float, seed: int) -> list[float]:
    """Seconds from the POST at the gateway until its answer says FINISHED, sorted."""
    url = f"{shop.urls['gateway']}/orders"
    answers = await run_paced(url, orders(url, count, seed, {"Prefer": "wait=30"}), per_s=per_s)
    assert answers.statuses == {201: count}, answers.statuses
    return sorted(answers.latencies_s)


async def store_decided(servers: Servers, count: int) -> None:
    """Orders of the past hour, all paid."""
    since = datetime.now(UTC) - timedelta(hours=1)
    await asyncio.gather(
        *(_store(url, f"store_{name}.sql", count, since) for name, url in servers.databases.items())
    )


async def _store(url: str, script: str, count: int, since: datetime) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute((SQL / "store.sql").read_text(), count, USERS, BALANCE, since)
        await connection.execute((SQL / script).read_text())
        await connection.execute("DROP TABLE stored")
        await connection.execute("VACUUM ANALYZE")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()
