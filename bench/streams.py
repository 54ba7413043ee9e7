"""The rows of `make bench-long` for orders that clients watch by open streams."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench import stored
from bench.benched_shop import BenchedShop
from bench.event_streams import Stream, open_streams
from bench.growth import ROUNDS, Growth
from bench.report import Row, step

STREAMS = 1_000
# Longer than the pause until the gateway reads an order again, in case a notification is lost.
ENDED_WITHIN_S = 60.0


async def beside_streams(growth: Growth) -> list[Row]:
    streams_count = growth.sized(STREAMS, least=10)
    without: list[float] = []
    beside: list[float] = []
    memory: list[float] = []
    await growth.servers.empty()
    async with BenchedShop(growth.servers) as shop:
        await _weigh(growth, shop, streams_count)
        await growth.warm_up(shop)
        for number in range(1, ROUNDS + 1):
            with step(f"round {number}: orders without streams"):
                without.append(await growth.decided_per_s(shop))
            with step(f"round {number}: orders beside {streams_count:,} streams"):
                async with _watched(growth, shop, streams_count):
                    beside.append(await growth.decided_per_s(shop))
                    memory.append(shop.memory_mb()["gateway"])
    count, bound = f"{streams_count:,} streams", [150.0] * ROUNDS
    return [
        Row("streams", f"decided beside {count}", "without", "/s", beside, without, at_least=0.8),
        Row("streams-memory", f"gateway with {count}", "150 MB", "MB", memory, bound, at_most=1),
    ]


async def _weigh(growth: Growth, shop: BenchedShop, count: int) -> None:
    """Adds the memory of a stream to the facts. The gateway has to be fresh: a gateway that was busy has free
    memory left, which the streams would fill unseen."""
    with step(f"{count:,} streams at rest"):
        before_mb = shop.memory_mb()["gateway"]
        async with _watched(growth, shop, count):
            grown_mb = shop.memory_mb()["gateway"] - before_mb
            growth.facts["KiB of the gateway's memory that a stream takes"] = grown_mb * 1024 / count


@asynccontextmanager
async def _watched(growth: Growth, shop: BenchedShop, count: int) -> AsyncIterator[list[Stream]]:
    """Streams that stay open during the block. Then their orders are decided, and each stream has to end."""
    order_ids = await stored.store_undecided(growth.servers, count)
    urls = [f"{shop.urls['gateway']}/orders/{order_id}/events" for order_id in order_ids]
    async with open_streams(urls) as streams:
        yield streams
        assert not any(stream.ended.done() for stream in streams)
        await stored.ask_about_all(growth.servers)
        async with asyncio.timeout(ENDED_WITHIN_S):
            await asyncio.gather(*(stream.ended for stream in streams))
    assert all(stream.statuses == ["NEW", "FINISHED"] for stream in streams)
