"""The rows of the table: what the shop does, to be held against a floor of the same run."""

import asyncio
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import asyncpg
from uuid_utils.compat import uuid7

from bench.floors import SQL
from bench.load import Answers, post, run_load, run_paced
from bench.servers import BALANCE, USERS, BenchedShop, Servers, all_decided
from orders import wire
from orders.domain.events import OrderPlaced

CONNECTIONS = 768


def orders(url: str, count: int, seed: int, headers: dict[str, str] | None = None) -> Iterator[bytes]:
    """Requests for orders of random users."""
    dice = random.Random(seed)
    for _ in range(count):
        body = {"userId": f"user-{dice.randint(1, USERS)}", "amount": dice.randint(1, 100) / 100}
        yield post(url, json.dumps(body).encode(), headers)


async def accepted(url: str, count: int, seed: int) -> Answers:
    requests = list(orders(url, count, seed))
    answers = await run_load(url, iter(requests), connections=CONNECTIONS)
    assert set(answers.statuses) == {201}, answers.statuses
    return answers


async def decided_per_s(shop: BenchedShop, servers: Servers, count: int, seed: int) -> tuple[float, Answers]:
    """Orders a second from the first POST at the gateway until the last one is decided."""
    loop = asyncio.get_running_loop()
    answers = await accepted(f"{shop.urls['gateway']}/orders", count, seed)
    accepted_at = loop.time()
    await all_decided(servers.databases["orders"])
    return count / (answers.seconds + loop.time() - accepted_at), answers


async def accepted_per_s(shop: BenchedShop, servers: Servers, count: int, seed: int) -> float:
    """Orders a second that the orders service takes by itself, one a call."""
    answers = await accepted(f"{shop.urls['orders']}/api/Order", count, seed)
    await all_decided(servers.databases["orders"])
    return answers.per_s


async def drained_per_s(servers: Servers, count: int) -> float:
    """Orders a second from an outbox full of them until the last one is decided."""
    await fill_outbox(servers.databases["orders"], count)
    loop = asyncio.get_running_loop()
    async with BenchedShop(servers, ["orders", "payments"]):
        started = loop.time()
        await all_decided(servers.databases["orders"])
        return count / (loop.time() - started)


async def fill_outbox(url: str, count: int) -> None:
    """Orders that were accepted while nothing could be published."""
    now = datetime.now(UTC)
    trace = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-00"
    placed, changes, events = [], [], []
    for number in range(count):
        order_id, event_id, user = uuid7(), uuid7(), f"user-{1 + number % USERS}"
        placed.append((user, order_id, 100, "RUB", "", "NEW", str(order_id), now, now))
        changes.append((user, order_id, 1, "NEW", now))
        event = OrderPlaced(order_id=order_id, user_id=user, traceparent=trace, amount=100, currency="RUB")
        event_type, body = wire.encode(event, event_id, now)
        events.append((event_type, event_id, body))
    connection = await asyncpg.connect(url)
    try:
        columns = "user_id id amount currency description status idempotency_key created_at updated_at"
        await connection.copy_records_to_table("orders", records=placed, columns=columns.split())
        columns = "user_id order_id sequence status at"
        await connection.copy_records_to_table("order_history", records=changes, columns=columns.split())
        await connection.copy_records_to_table("outbox", records=events, columns=["type", "id", "event"])
        await connection.execute("ANALYZE")
    finally:
        await connection.close()


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
