"""The load, which is the same for all subjects: orders of random users, in a closed loop."""

import asyncio
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import aiohttp

from bench.load import post, run_load, until
from bench.peers.subjects import Running
from bench.servers import USERS
from tests.servers.database import connected
from tests.servers.process import eventually

DECIDED_WITHIN_S = 120.0
LOOK_S = 0.002
# Random pauses, so that orders arrive in all phases of a poller's interval.
PAUSE_S = 0.2


@dataclass(frozen=True)
class Rate:
    per_s: float
    """Orders decided per second, from the first POST until the last order is decided."""
    p50_s: float
    """The time to the answer to the POST."""
    p99_s: float


def bodies(seed: int) -> Iterator[dict[str, object]]:
    dice = random.Random(seed)
    while True:
        yield {"userId": f"user-{dice.randint(1, USERS)}", "amount": dice.randint(1, 100) / 100}


async def decided(running: Running) -> None:
    """Returns once no order is NEW. Raises AssertionError when that takes too long."""
    async with connected(running.orders_database) as database:

        async def none_new() -> bool:
            return await database.fetchval("SELECT 1 FROM orders WHERE status = 'NEW' LIMIT 1") is None

        await eventually(none_new, within=DECIDED_WITHIN_S)


async def rate(running: Running, *, clients: int, seconds: float, seed: int) -> Rate:
    loop = asyncio.get_running_loop()
    requests = (post(running.url, json.dumps(body).encode()) for body in bodies(seed))
    started = loop.time()
    answers = await run_load(running.url, until(started + seconds, requests), connections=clients)
    assert set(answers.statuses) == {201}, answers.statuses
    await decided(running)
    latencies_s = sorted(answers.latencies_s)
    count = len(latencies_s)
    per_s = count / (loop.time() - started)
    return Rate(per_s, latencies_s[count // 2], latencies_s[count * 99 // 100])


async def finished_s(running: Running, *, seconds: float, seed: int) -> list[float]:
    """Seconds from a lone client's POST until its order is FINISHED in the database, sorted."""
    loop, dice = asyncio.get_running_loop(), random.Random(seed)
    found = []
    deadline = loop.time() + seconds
    async with aiohttp.ClientSession() as session, connected(running.orders_database) as database:
        for body in bodies(seed):
            started = loop.time()
            order_id = await place(session, running.url, body)
            query = "SELECT status FROM orders WHERE user_id = $1 AND id = $2"
            while await database.fetchval(query, body["userId"], order_id) != "FINISHED":
                assert loop.time() < started + DECIDED_WITHIN_S, f"{order_id} is not finished"
                await asyncio.sleep(LOOK_S)
            found.append(loop.time() - started)
            if loop.time() > deadline:
                return sorted(found)
            await asyncio.sleep(dice.uniform(0, PAUSE_S))
    raise AssertionError("orders never end")


async def place(session: aiohttp.ClientSession, url: str, body: dict[str, object]) -> UUID | None:
    """The order's id, unless it was refused. Raises aiohttp.ClientError or TimeoutError without an answer."""
    async with session.post(url, json=body) as answer:
        return UUID((await answer.json())["id"]) if answer.status == 201 else None
