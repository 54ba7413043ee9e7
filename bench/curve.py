"""Measures orders decided per second by few and many clients, each beside its floor."""

import asyncio
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench import floors, rows
from bench.benched_shop import BenchedShop
from bench.load import run_load, until
from bench.report import Row, step
from bench.servers import Servers

REACH = {1: 0.3, 8: 0.6, 32: 1.2, 128: 1.25, 768: 1.7}
"""The ratio of the shop's orders to the floor's that has to be reached, by the number of clients."""
ROUNDS = 2
SECONDS = 5
FLOOR_SECONDS = 3
# The floor is not faster with more connections.
FLOOR_CLIENTS_MAX = 32
# More orders than any round sends.
_MANY = 10_000_000


@dataclass(frozen=True)
class Point:
    """One measurement of clients that each wait for an answer before they send the next order."""

    decided_per_s: float
    """From the first request until the last order is decided."""
    answer_s: float
    """The median time from a POST to its answer."""
    cpu_s: Mapping[str, float]
    """CPU time of an order, by part of the shop."""
    generator_s: float
    """CPU time of an order in the load generator."""
    floor_per_s: float
    floor_cpu_s: float


Points = Mapping[int, Sequence[Point]]


async def curve(shop: BenchedShop, servers: Servers, title: str, seed: int) -> Points:
    """The points by the number of clients, one point per round."""
    points: defaultdict[int, list[Point]] = defaultdict(list)
    for number in range(1, ROUNDS + 1):
        for clients in REACH:
            with step(f"round {number}: {clients} clients, {title}, and the floor"):
                seed += 1
                points[clients].append(await point(shop, servers, clients, seed))
    return points


async def point(shop: BenchedShop, servers: Servers, clients: int, seed: int) -> Point:
    url, loop = f"{shop.urls['gateway']}/orders", asyncio.get_running_loop()
    before = {**shop.cpu_s(), **servers.cpu_s()}
    began = loop.time()
    answers = await run_load(url, until(began + SECONDS, rows.orders(url, _MANY, seed)), connections=clients)
    assert set(answers.statuses) == {201}, answers.statuses
    count = len(answers.latencies_s)
    await rows.decided(servers, count)
    ended = loop.time()
    after = {**shop.cpu_s(), **servers.cpu_s()}
    floor = floors.bare_orders(servers, seconds=FLOOR_SECONDS, clients=min(clients, FLOOR_CLIENTS_MAX))
    return Point(
        decided_per_s=count / (ended - began),
        answer_s=statistics.median(answers.latencies_s),
        cpu_s={part: (after[part] - before[part]) / count for part in after},
        generator_s=answers.cpu_s / count,
        floor_per_s=floor.per_s,
        floor_cpu_s=floor.cpu_s,
    )


def as_rows(key: str, title: str, points: Points) -> list[Row]:
    return [
        Row(
            f"{key}-{clients}",
            f"{clients} clients, {title}",
            f"F1, {min(clients, FLOOR_CLIENTS_MAX)} connections",
            "/s",
            [point.decided_per_s for point in found],
            [point.floor_per_s for point in found],
            at_least=REACH[clients],
        )
        for clients, found in points.items()
    ]


def costs(points: Sequence[Point]) -> dict[str, float]:
    """The median CPU time of an order, by part, in seconds."""
    return {part: statistics.median(point.cpu_s[part] for point in points) for part in points[0].cpu_s}
