"""Measurements of the shop: orders accepted, decided and drained per second, and the time to FINISHED."""

import asyncio
import json
import random
from collections.abc import Callable, Iterator, Mapping

import asyncpg

from bench import stored
from bench.benched_shop import BenchedShop
from bench.load import Answers, post, run_load, run_paced
from bench.servers import USERS, Servers
from tests.servers.cable import Cable
from tests.servers.database import connected
from tests.servers.process import eventually

CONNECTIONS = 768
WAITING = "SELECT id FROM orders WHERE ask_again_at IS NOT NULL ORDER BY ask_again_at LIMIT 1"


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
    """Requests for orders of random users; `bearing` gives the headers of a user."""
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
    """Returns once no order waits for a decision of payments. More orders get more time, and fewer looks.

    It looks for orders with a time to ask payments again, because these have an index; a search for NEW among
    a million orders would be a load of its own. The audit checks afterwards that no order is NEW.
    """
    for url in servers.urls_of("orders"):
        async with connected(url) as database:

            async def none_waits(database: asyncpg.Connection = database) -> bool:
                return await database.fetchval(WAITING) is None

            await eventually(none_waits, within=60 + count / 200, every=max(0.05, count / 400_000))


async def decided_per_s(
    shop: BenchedShop,
    servers: Servers,
    count: int,
    seed: int,
    *,
    users: int = USERS,
    bearing: Bearing = _nothing,
) -> float:
    """Orders per second, from the first POST at the gateway until the last order is decided."""
    loop = asyncio.get_running_loop()
    answers = await accepted(f"{shop.urls['gateway']}/orders", count, seed, users=users, bearing=bearing)
    accepted_at = loop.time()
    await decided(servers, count)
    return count / (answers.seconds + loop.time() - accepted_at)


async def accepted_per_s(shop: BenchedShop, servers: Servers, count: int, seed: int) -> float:
    """Orders per second that the orders service accepts directly, one order per call."""
    answers = await accepted(f"{shop.urls['orders']}/api/Order", count, seed)
    await decided(servers, count)
    return answers.per_s


async def accepted_apart_per_s(
    shop: BenchedShop, servers: Servers, payments_cable: Cable, count: int, seed: int
) -> float:
    """As `accepted_per_s`, but payments is cut off from the broker: it decides no order."""
    async with payments_cable.away():
        answers = await accepted(f"{shop.urls['orders']}/api/Order", count, seed)
    await decided(servers, count)
    return answers.per_s


async def drained_per_s(servers: Servers, count: int) -> float:
    """Orders per second from a full outbox, until the last order is decided."""
    await stored.fill_outbox(servers.databases["orders"], count)
    loop = asyncio.get_running_loop()
    async with BenchedShop(servers, ["orders", "payments"]):
        started = loop.time()
        # Orders that are decided while the services start do not count: they would make a small backlog look
        # faster than the big one that is compared with it.
        async with connected(servers.databases["orders"]) as database:
            early = int(await database.fetchval("SELECT count(*) FROM orders WHERE status <> 'NEW'"))
        await decided(servers, count)
        return (count - early) / (loop.time() - started)


async def finished_latencies(shop: BenchedShop, count: int, per_s: float, seed: int) -> list[float]:
    """Seconds from a POST with `Prefer: wait` to its answer, sorted."""
    url = f"{shop.urls['gateway']}/orders"
    answers = await run_paced(url, orders(url, count, seed, {"Prefer": "wait=30"}), per_s=per_s)
    assert answers.statuses == {201: count}, answers.statuses
    return sorted(answers.latencies_s)
