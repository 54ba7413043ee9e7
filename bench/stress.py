"""The rows of `make bench-long` for writes beside readers of long lists, and for an overload."""

import asyncio
import statistics
from dataclasses import dataclass
from itertools import repeat

from bench import rows, stored
from bench.benched_shop import BenchedShop
from bench.growth import ROUNDS, Growth
from bench.load import Answers, get, run_load, run_retrying, until
from bench.report import Row, step
from bench.servers import Servers

WRITERS = 64
READERS = 64
IMPATIENT = 0.2
PROBES_PER_S = 20.0
BACK_WITHIN_S = 5.0
STRESS_S = 10.0
OVERLOADED_S = 60.0
# More orders than any run sends.
_MANY = 10_000_000


async def beside_readers(growth: Growth) -> list[Row]:
    table = []
    seconds = max(2.0, growth.scale * STRESS_S)
    for processes in (3, 1):
        alone: list[float] = []
        beside: list[float] = []
        await growth.servers.empty()
        await stored.store_decided(growth.servers, 1_000)
        async with BenchedShop(growth.servers, one_process=processes == 1) as shop:
            await _written_per_s(shop, seconds, growth.next_seed())
            for number in range(1, ROUNDS + 1):
                with step(f"round {number}: {processes} processes, with and without {READERS} readers"):
                    alone.append(await _written_per_s(shop, seconds, growth.next_seed()))
                    beside.append(await _written_per_s(shop, seconds, growth.next_seed(), readers=READERS))
            await rows.decided(growth.servers, 1_000)
        title = f"accepted beside {READERS} readers, processes: {processes}"
        table.append(Row(f"readers-{processes}", title, "without", "/s", beside, alone, at_least=0.6))
    return table


async def _written_per_s(shop: BenchedShop, seconds: float, seed: int, *, readers: int = 0) -> float:
    """Orders accepted a second, beside `readers` clients that read lists of 500 orders."""
    url = f"{shop.urls['gateway']}/orders"
    deadline_s = asyncio.get_running_loop().time() + seconds
    written, read = await asyncio.gather(
        run_load(url, until(deadline_s, rows.orders(url, _MANY, seed)), connections=WRITERS),
        run_load(url, until(deadline_s, repeat(get(f"{url}?limit=500"))), connections=readers),
    )
    assert set(written.statuses) == {201}, written.statuses
    assert set(read.statuses) <= {200, 503}, read.statuses
    return written.per_s


async def under_overload(growth: Growth) -> list[Row]:
    await growth.servers.empty()
    async with BenchedShop(growth.servers) as shop:
        await growth.warm_up(shop)
        seconds = max(5.0, growth.scale * OVERLOADED_S)
        with step(f"three times the clients for {seconds:g} s"):
            found = await _overload(shop, growth.servers, seconds, growth.next_seed())
    answers = found.answers
    growth.facts["% of a core that the generator takes under overload"] = (
        100 * answers.cpu_s / answers.seconds
    )
    for status in (201, 429, 503):
        growth.facts[f"answers {status} under overload"] = answers.statuses[status]
    kept, best = [found.kept_per_s], [found.best_per_s]
    after, usual = [found.after_s], [found.usual_s]
    return [
        Row("overload", "decided under overload", "at its best", "/s", kept, best, at_least=0.8),
        Row("overload-after", "POST to FINISHED 5 s after", "before", "s", after, usual, at_most=1.5),
    ]


@dataclass
class _Overload:
    best_per_s: float
    kept_per_s: float
    usual_s: float
    after_s: float
    answers: Answers


async def _overload(shop: BenchedShop, servers: Servers, seconds: float, seed: int) -> _Overload:
    """Sends on three times the connections at which the shop is fastest. No accepted order may be lost."""
    usual_s = await _latency_s(shop, seed)
    best = await rows.decided_per_s(shop, servers, rows.CONNECTIONS * max(2, round(2 * seconds)), seed + 1)
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
    return _Overload(best, answers.statuses[201] / (answers.seconds + drained), usual_s, after, answers)


async def _latency_s(shop: BenchedShop, seed: int) -> float:
    """The median time from a POST to FINISHED, at a pace that leaves the shop nearly idle."""
    return statistics.median(await rows.finished_latencies(shop, 60, PROBES_PER_S, seed))
