"""How many writes are left beside readers of long lists, and under more clients than the shop can serve."""

import asyncio
import statistics
from dataclasses import dataclass
from itertools import repeat

from bench import rows
from bench.load import Answers, get, run_load, run_retrying, until
from bench.servers import BenchedShop, Servers

WRITERS = 64
READERS = 64
IMPATIENT = 0.2
PROBES_PER_S = 20.0
BACK_WITHIN_S = 5.0
# More than any run takes.
_MANY = 10_000_000


async def written_per_s(shop: BenchedShop, seconds: float, seed: int, *, readers: int = 0) -> float:
    """Orders accepted a second, beside `readers` readers of lists of 500 orders."""
    url = f"{shop.urls['gateway']}/orders"
    deadline_s = asyncio.get_running_loop().time() + seconds
    written, read = await asyncio.gather(
        run_load(url, until(deadline_s, rows.orders(url, _MANY, seed)), connections=WRITERS),
        run_load(url, until(deadline_s, repeat(get(f"{url}?limit=500"))), connections=readers),
    )
    assert set(written.statuses) == {201}, written.statuses
    assert set(read.statuses) <= {200, 503}, read.statuses
    return written.per_s


@dataclass
class Overload:
    best_per_s: float
    kept_per_s: float
    usual_s: float
    after_s: float
    answers: Answers


async def overload(shop: BenchedShop, servers: Servers, seconds: float, seed: int) -> Overload:
    """Three times the connections at which the shop is fastest. Nothing that was accepted may be lost."""
    usual_s = await _latency_s(shop, seed)
    best, _ = await rows.decided_per_s(shop, servers, rows.CONNECTIONS * max(2, round(2 * seconds)), seed + 1)
    url = f"{shop.urls['gateway']}/orders"
    loop = asyncio.get_running_loop()
    requests = until(loop.time() + seconds, rows.orders(url, _MANY, seed + 2))
    answers = await run_retrying(url, requests, connections=3 * rows.CONNECTIONS, impatient=IMPATIENT)
    ended_at = loop.time()
    assert set(answers.statuses) <= {201, 429, 503}, answers.statuses

    async def drained_s() -> float:
        await rows.decided(servers, answers.statuses[201])
        return loop.time() - ended_at

    async def after_s() -> float:
        await asyncio.sleep(BACK_WITHIN_S)
        return await _latency_s(shop, seed + 3)

    drained, after = await asyncio.gather(drained_s(), after_s())
    return Overload(best, answers.statuses[201] / (answers.seconds + drained), usual_s, after, answers)


async def _latency_s(shop: BenchedShop, seed: int) -> float:
    """The median of a POST until it is decided, by a client that is nearly alone."""
    return statistics.median(await rows.finished_latencies(shop, 60, PROBES_PER_S, seed))
