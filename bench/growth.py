"""The rows of `make bench-long` for orders: the same work on more orders, more users, tokens and lanes."""

from functools import cache
from typing import Any

from bench import rows, soak, stored
from bench.benched_shop import BenchedShop
from bench.report import Row, step
from bench.servers import USERS, Servers
from tests.servers.keys import Keys
from tests.servers.shop import SERVICES

ROUNDS = 3
ORDERS = 20_000
STORED = 1_000_000
BACKLOG = 200_000
LANES = 16
RETURNING = 1_000


class Growth:
    """One run of `make bench-long`: its servers, its sizes, and the facts that it collects."""

    def __init__(self, servers: Servers, seed: int, scale: float, minutes: float) -> None:
        """`scale` multiplies every size. `minutes` is the duration of the soak."""
        self.servers = servers
        self.scale = scale
        self.minutes = minutes
        self.facts: dict[str, float] = {}
        self.looks: list[soak.Look] = []
        self._seed = seed

    def sized(self, count: int, *, least: int = 1_000) -> int:
        return max(least, round(self.scale * count))

    def next_seed(self) -> int:
        self._seed += 1
        return self._seed

    async def warm_up(self, shop: BenchedShop, **options: Any) -> None:
        """Sends a quarter of the usual orders. `options` are passed to `rows.decided_per_s`."""
        await rows.decided_per_s(shop, self.servers, self.sized(ORDERS // 4), self.next_seed(), **options)

    async def decided_per_s(self, shop: BenchedShop, **options: Any) -> float:
        """Orders decided per second. `options` are passed to `rows.decided_per_s`."""
        count = self.sized(ORDERS)
        return await rows.decided_per_s(shop, self.servers, count, self.next_seed(), **options)


async def on_stored(growth: Growth) -> list[Row]:
    most = growth.sized(STORED)
    empty: list[float] = []
    full: list[float] = []
    for number in range(1, ROUNDS + 1):
        for count, figures in ((0, empty), (most, full)):
            with step(f"round {number}: orders on top of {count:,}"):
                await growth.servers.empty()
                if count:
                    await stored.store_decided(growth.servers, count)
                async with BenchedShop(growth.servers) as shop:
                    # After the checkpoint, the first change of each page writes the whole page to the WAL. A
                    # shop makes a checkpoint every 15 minutes, so these writes are part of the warm-up.
                    await growth.decided_per_s(shop)
                    figures.append(await growth.decided_per_s(shop))
    title = f"decided on {most:,} orders"
    return [Row("stored", title, "empty tables", "/s", full, empty, at_least=0.9)]


async def from_backlog(growth: Growth) -> list[Row]:
    backlog = growth.sized(BACKLOG)
    small_count = max(1_000, backlog // 10)
    small: list[float] = []
    big: list[float] = []
    for number in range(1, ROUNDS + 1):
        for count, figures in ((small_count, small), (backlog, big)):
            with step(f"round {number}: an outbox of {count:,} drained"):
                await growth.servers.empty()
                figures.append(await rows.drained_per_s(growth.servers, count))
    title = f"an outbox of {backlog:,}"
    return [Row("backlog", title, f"of {small_count:,}", "/s", big, small, at_least=0.9)]


async def on_hot_account(growth: Growth) -> list[Row]:
    spread, hot = [], []
    await growth.servers.empty()
    async with BenchedShop(growth.servers) as shop:
        await growth.warm_up(shop)
        for number in range(1, ROUNDS + 1):
            with step(f"round {number}: orders of {USERS:,} users"):
                spread.append(await growth.decided_per_s(shop))
            with step(f"round {number}: orders of one user"):
                hot.append(await growth.decided_per_s(shop, users=1))
    return [Row("hot", "decided for one user", f"of {USERS:,} users", "/s", hot, spread, at_least=0.5)]


async def with_tokens(growth: Growth) -> list[Row]:
    """A thousand users send all orders, so the gateway verifies each token only once."""
    servers = growth.servers
    keys = Keys(servers.directory / "keys")
    bearing = cache(keys.headers)
    without: list[float] = []
    with_: list[float] = []
    for number in range(1, ROUNDS + 1):
        with step(f"round {number}: orders without tokens"):
            await servers.empty()
            async with BenchedShop(servers) as shop:
                await growth.warm_up(shop, users=RETURNING)
                without.append(await growth.decided_per_s(shop, users=RETURNING))
        with step(f"round {number}: orders with tokens"):
            await servers.empty()
            async with BenchedShop(servers, **dict.fromkeys(SERVICES, keys.settings)) as shop:
                await growth.warm_up(shop, users=RETURNING, bearing=bearing)
                with_.append(await growth.decided_per_s(shop, users=RETURNING, bearing=bearing))
    return [Row("tokens", "decided with tokens", "without", "/s", with_, without, at_least=0.85)]


async def in_lanes(growth: Growth) -> list[Row]:
    one: list[float] = []
    many: list[float] = []
    for number in range(1, ROUNDS + 1):
        with step(f"round {number}: orders in one lane"):
            one.append(await _decided_afresh_per_s(growth))
        with step(f"round {number}: orders in {LANES} lanes"):
            async with growth.servers.in_lanes(LANES):
                many.append(await _decided_afresh_per_s(growth))
                await growth.servers.audited()
    return [Row("lanes", f"decided in {LANES} lanes", "in one", "/s", many, one, at_least=0.7)]


async def _decided_afresh_per_s(growth: Growth) -> float:
    await growth.servers.empty()
    async with BenchedShop(growth.servers) as shop:
        await growth.warm_up(shop)
        return await growth.decided_per_s(shop)
