"""`make bench-long`: what work costs as it grows, held against the same work while it was small."""

import argparse
import asyncio
import logging
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import uvloop

from bench import report, rows, soak, stress
from bench.load import Stream, open_streams
from bench.published import BENCH, long_page
from bench.report import Row, console, step
from bench.servers import USERS, BenchedShop, Servers, private_servers
from tests.servers.keys import Keys
from tests.servers.shop import SERVICES

ROUNDS = 3
ORDERS = 20_000
STORED = 1_000_000
BACKLOG = 200_000
STREAMS = 1_000
LANES = 16
RETURNING = 1_000
# Longer than the gateway takes to look by itself, should a notification be lost.
ENDED_WITHIN_S = 60.0
# A tenth of what the shop can do: a soak looks for what stays behind, not for what is full.
PACE_PER_S = 200.0
WARM_UP_MINUTES = 1.0
STRESS_S = 10.0
OVERLOADED_S = 60.0
PARTS = ("stored", "backlog", "hot", "tokens", "streams", "readers", "lanes", "overload", "soak")


class Long:
    """Each part on empty tables, big and small next to each other in time, with an audit at its end."""

    def __init__(self, servers: Servers, seed: int, scale: float, minutes: float) -> None:
        self.servers = servers
        self.seed = seed
        self.minutes = minutes
        self.scale = scale
        self.orders, self.stored, self.backlog = (
            max(1_000, round(scale * count)) for count in (ORDERS, STORED, BACKLOG)
        )
        self.streams_count = max(10, round(scale * STREAMS))
        self.facts: dict[str, float] = {}
        self.looks: list[soak.Look] = []

    async def run(self, parts: Sequence[str]) -> list[Row]:
        acts = {
            "stored": self.on_stored,
            "backlog": self.from_backlog,
            "hot": self.on_hot_account,
            "tokens": self.with_tokens,
            "streams": self.beside_streams,
            "readers": self.beside_readers,
            "lanes": self.in_lanes,
            "overload": self.overloaded,
            "soak": self.soaked,
        }
        table = []
        for part in parts:
            table += await acts[part]()
            with step("audit"):
                await self.servers.audited()
        return table

    async def on_stored(self) -> list[Row]:
        empty: list[float] = []
        full: list[float] = []
        for number in range(1, ROUNDS + 1):
            for stored, figures in ((0, empty), (self.stored, full)):
                with step(f"round {number}: orders on top of {stored:,}"):
                    await self.servers.empty()
                    if stored:
                        await rows.store_decided(self.servers, stored)
                    async with BenchedShop(self.servers) as shop:
                        await self.warmed_up(shop)
                        figures.append(await self.decided_per_s(shop))
        title = f"decided on {self.stored:,} orders"
        return [Row("stored", title, "empty tables", "/s", full, empty, at_least=0.9)]

    async def from_backlog(self) -> list[Row]:
        small_count = max(1_000, self.backlog // 10)
        small: list[float] = []
        big: list[float] = []
        for number in range(1, ROUNDS + 1):
            for count, figures in ((small_count, small), (self.backlog, big)):
                with step(f"round {number}: an outbox of {count:,} drained"):
                    await self.servers.empty()
                    figures.append(await rows.drained_per_s(self.servers, count))
        title = f"an outbox of {self.backlog:,}"
        return [Row("backlog", title, f"of {small_count:,}", "/s", big, small, at_least=0.9)]

    async def on_hot_account(self) -> list[Row]:
        spread, hot = [], []
        await self.servers.empty()
        async with BenchedShop(self.servers) as shop:
            await self.warmed_up(shop)
            for number in range(1, ROUNDS + 1):
                with step(f"round {number}: orders of {USERS:,} users"):
                    spread.append(await self.decided_per_s(shop))
                with step(f"round {number}: orders of one user"):
                    hot.append(await self.decided_per_s(shop, users=1))
        return [Row("hot", "decided for one user", f"of {USERS:,} users", "/s", hot, spread, at_least=0.5)]

    async def with_tokens(self) -> list[Row]:
        """A thousand users come back again and again; the gateway verifies the token of each once."""
        keys = Keys(self.servers.directory / "keys")
        bearing = cache(keys.headers)
        without: list[float] = []
        with_: list[float] = []
        for number in range(1, ROUNDS + 1):
            with step(f"round {number}: orders without tokens"):
                await self.servers.empty()
                async with BenchedShop(self.servers) as shop:
                    await self.warmed_up(shop, users=RETURNING)
                    without.append(await self.decided_per_s(shop, users=RETURNING))
            with step(f"round {number}: orders with tokens"):
                await self.servers.empty()
                async with BenchedShop(self.servers, **dict.fromkeys(SERVICES, keys.settings)) as shop:
                    await self.warmed_up(shop, users=RETURNING, bearing=bearing)
                    with_.append(await self.decided_per_s(shop, users=RETURNING, bearing=bearing))
        return [Row("tokens", "decided with tokens", "without", "/s", with_, without, at_least=0.85)]

    async def beside_streams(self) -> list[Row]:
        without: list[float] = []
        beside: list[float] = []
        memory: list[float] = []
        await self.servers.empty()
        async with BenchedShop(self.servers) as shop:
            await self.weigh_streams(shop)
            await self.warmed_up(shop)
            for number in range(1, ROUNDS + 1):
                with step(f"round {number}: orders without streams"):
                    without.append(await self.decided_per_s(shop))
                with step(f"round {number}: orders beside {self.streams_count:,} streams"):
                    async with self.watched(shop):
                        beside.append(await self.decided_per_s(shop))
                        memory.append(shop.memory_mb()["gateway"])
        count, bound = f"{self.streams_count:,} streams", [150.0] * ROUNDS
        return [
            Row("streams", f"decided beside {count}", "without", "/s", beside, without, at_least=0.8),
            Row("streams-memory", f"gateway with {count}", "150 MB", "MB", memory, bound, at_most=1),
        ]

    async def weigh_streams(self, shop: BenchedShop) -> None:
        """On a gateway that was just started: one that was busy has room left, which would hide them."""
        with step(f"{self.streams_count:,} streams at rest"):
            before_mb = shop.memory_mb()["gateway"]
            async with self.watched(shop) as streams:
                grown_mb = shop.memory_mb()["gateway"] - before_mb
                self.facts["KiB of the gateway's memory that a stream takes"] = grown_mb * 1024 / len(streams)

    @asynccontextmanager
    async def watched(self, shop: BenchedShop) -> AsyncIterator[list[Stream]]:
        """Streams that stay open during the block; then each has to tell the rest, and to end."""
        order_ids = await rows.store_undecided(self.servers, self.streams_count)
        urls = [f"{shop.urls['gateway']}/orders/{order_id}/events" for order_id in order_ids]
        async with open_streams(urls) as streams:
            yield streams
            assert not any(stream.ended.done() for stream in streams)
            await rows.ask_about_all(self.servers)
            async with asyncio.timeout(ENDED_WITHIN_S):
                await asyncio.gather(*(stream.ended for stream in streams))
        assert all(stream.statuses == ["NEW", "FINISHED"] for stream in streams)

    async def beside_readers(self) -> list[Row]:
        table = []
        for processes in (3, 1):
            alone: list[float] = []
            beside: list[float] = []
            await self.servers.empty()
            await rows.store_decided(self.servers, 1_000)
            async with BenchedShop(self.servers, one_process=processes == 1) as shop:
                seconds = max(2.0, self.scale * STRESS_S)
                await stress.written_per_s(shop, seconds, self.next_seed())
                for number in range(1, ROUNDS + 1):
                    with step(
                        f"round {number}: {processes} processes, with and without {stress.READERS} readers"
                    ):
                        alone.append(await stress.written_per_s(shop, seconds, self.next_seed()))
                        beside.append(
                            await stress.written_per_s(
                                shop, seconds, self.next_seed(), readers=stress.READERS
                            )
                        )
                await rows.decided(self.servers, 1_000)
            key, title = (
                f"readers-{processes}",
                f"accepted beside {stress.READERS} readers, processes: {processes}",
            )
            table.append(Row(key, title, "without", "/s", beside, alone, at_least=0.6))
        return table

    async def in_lanes(self) -> list[Row]:
        one: list[float] = []
        many: list[float] = []
        for number in range(1, ROUNDS + 1):
            with step(f"round {number}: orders in one lane"):
                one.append(await self.decided_afresh_per_s())
            with step(f"round {number}: orders in {LANES} lanes"):
                async with self.servers.in_lanes(LANES):
                    many.append(await self.decided_afresh_per_s())
                    await self.servers.audited()
        return [Row("lanes", f"decided in {LANES} lanes", "in one", "/s", many, one, at_least=0.7)]

    async def decided_afresh_per_s(self) -> float:
        await self.servers.empty()
        async with BenchedShop(self.servers) as shop:
            await self.warmed_up(shop)
            return await self.decided_per_s(shop)

    async def overloaded(self) -> list[Row]:
        await self.servers.empty()
        async with BenchedShop(self.servers) as shop:
            await self.warmed_up(shop)
            seconds = max(5.0, self.scale * OVERLOADED_S)
            with step(f"three times the clients for {seconds:g} s"):
                overload = await stress.overload(shop, self.servers, seconds, self.next_seed())
        answers = overload.answers
        self.facts["% of a core that the generator takes under overload"] = (
            100 * answers.cpu_s / answers.seconds
        )
        for status in (201, 429, 503):
            self.facts[f"answers {status} under overload"] = answers.statuses[status]
        kept, best = [overload.kept_per_s], [overload.best_per_s]
        after, usual = [overload.after_s], [overload.usual_s]
        return [
            Row("overload", "decided under overload", "at its best", "/s", kept, best, at_least=0.8),
            Row("overload-after", "POST to FINISHED 5 s after", "before", "s", after, usual, at_most=1.5),
        ]

    async def soaked(self) -> list[Row]:
        await self.servers.empty()
        async with BenchedShop(self.servers) as shop:
            with step("warming up for the soak"):
                await self.paced(shop, min(WARM_UP_MINUTES, self.minutes), lambda looks: None)
            with step(f"{self.minutes:g} minutes of {PACE_PER_S:g} orders a second"):
                self.looks, latencies_s = await self.paced(shop, self.minutes, self.report)
        self.facts["ms to answer a POST of the soak, p50"] = latencies_s[len(latencies_s) // 2] * 1000
        self.facts["ms to answer a POST of the soak, p99"] = latencies_s[len(latencies_s) * 99 // 100] * 1000
        return soak.assessed(self.looks)

    async def paced(
        self, shop: BenchedShop, minutes: float, report: soak.Report
    ) -> tuple[list[soak.Look], list[float]]:
        looks, answers = await soak.soak(
            shop, self.servers, minutes=minutes, per_s=PACE_PER_S, seed=self.next_seed(), report=report
        )
        return looks, sorted(answers.latencies_s)

    def report(self, looks: Sequence[soak.Look]) -> None:
        """Ten lines over the whole soak."""
        if len(looks) % (soak.LOOKS // 10) == 0:
            memory = ", ".join(f"{service} {mb:.0f} MB" for service, mb in looks[-1].memory_mb.items())
            console.print(f"         {looks[-1].orders_count:,} orders stored, {memory}")

    async def warmed_up(self, shop: BenchedShop, **options: Any) -> None:
        await rows.decided_per_s(
            shop, self.servers, max(1_000, self.orders // 4), self.next_seed(), **options
        )

    async def decided_per_s(self, shop: BenchedShop, **options: Any) -> float:
        """`options` are those of the row of this name."""
        per_s, _ = await rows.decided_per_s(shop, self.servers, self.orders, self.next_seed(), **options)
        return per_s

    def next_seed(self) -> int:
        self.seed += 1
        return self.seed


def arguments_of(line: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-long", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=10.0, help="of the soak")
    parser.add_argument("--scale", type=float, default=1.0, help="for trying: 0.01 of the orders and streams")
    parser.add_argument(
        "--only", choices=PARTS, nargs="+", default=PARTS, help="for trying: some of the parts"
    )
    parser.add_argument("--json", action="store_true", help="print what bench/results/long.json gets")
    arguments = parser.parse_args(line)
    if not 0 < arguments.scale <= 1 or arguments.minutes < 0.1:
        parser.error("--scale is above 0 and at most 1, --minutes at least 0.1")
    return arguments


def main() -> None:
    arguments = arguments_of()
    logging.disable(logging.INFO)
    started = time.monotonic()
    with private_servers() as servers:
        bench = Long(servers, arguments.seed, arguments.scale, arguments.minutes)
        table = uvloop.run(bench.run(arguments.only))
    document = report.as_json(table, bench.facts, (time.monotonic() - started) / 60)
    if bench.looks:
        document["soak"] = soak.as_json(bench.looks, minutes=arguments.minutes, per_s=PACE_PER_S)
    if arguments.scale == 1 and set(arguments.only) == set(PARTS):
        report.write("long.json", report.text(document) + "\n")
        BENCH.write_text(long_page(document))
    if arguments.json:
        print(report.text(document))
    else:
        report.show(report.on_stdout(), table, bench.facts)
        if bench.looks:
            soak.show(report.on_stdout(), bench.looks)
    sys.exit(0 if all(row.reached for row in table) else 1)


if __name__ == "__main__":
    main()
