"""`make bench`: the table of bench/README.md, in one run."""

import argparse
import logging
import statistics
import sys
import time

import uvloop

from bench import floors, report, rows
from bench.report import Row, step
from bench.servers import BenchedShop, Servers, private_servers
from tests.servers.cable import Cable

ROUNDS = 3
ORDERS = 20_000
STORED = 1_000_000
# Of each page that changes for the first time since the last checkpoint, PostgreSQL logs the whole. So many
# orders change most pages of a million stored ones.
CHANGING_ORDERS = 2 * ORDERS
PACE_PER_S = 20.0


class Bench:
    """Every figure of the table, round by round: what is measured stands next to its floor in time."""

    def __init__(self, servers: Servers, seed: int) -> None:
        self.servers = servers
        self.seed = seed
        self.facts: dict[str, float] = {}
        self.memory: list[float] = []

    async def run(self) -> list[Row]:
        return [
            await self.under_load(),
            await self.accepted(),
            await self.drained(),
            *await self.latency(),
            await self.grown(),
            self.remembered(),
        ]

    def next_seed(self) -> int:
        self.seed += 1
        return self.seed

    async def under_load(self) -> Row:
        decided, f1, generator = [], [], []
        costs: dict[str, list[float]] = {}
        await self.servers.empty()
        async with BenchedShop(self.servers) as shop:
            with step("warming up"):
                await rows.decided_per_s(shop, self.servers, ORDERS // 4, self.next_seed())
            for number in range(1, ROUNDS + 1):
                with step(f"round {number}: orders through the gateway"):
                    before = {**shop.cpu_s(), **self.servers.cpu_s()}
                    per_s, answers = await rows.decided_per_s(shop, self.servers, ORDERS, self.next_seed())
                    for part, cpu_s in {**shop.cpu_s(), **self.servers.cpu_s()}.items():
                        costs.setdefault(part, []).append((cpu_s - before[part]) / ORDERS)
                    decided.append(per_s)
                    generator.append(answers.cpu_s / len(answers.latencies_s))
                    self.memory.append(max(shop.memory_mb().values()))
                with step(f"round {number}: the floor of PostgreSQL"):
                    f1.append(floors.pgbench(self.servers, "f1.sql", seconds=8, clients=32))
        self.facts["µs of a core that the load generator takes for a request"] = (
            statistics.median(generator) * 1e6
        )
        # deploy/capacity.py plans with these.
        for part, seconds in costs.items():
            self.facts[f"µs of a core that {part} takes for an order"] = statistics.median(seconds) * 1e6
        return Row("decided", "orders decided, through the gateway", "F1", "/s", decided, f1, at_least=1.5)

    async def accepted(self) -> Row:
        apart, beside, hello = [], [], []
        await self.servers.empty()
        async with (
            Cable(self.servers.rabbitmq) as cable,
            BenchedShop(self.servers, ["orders", "payments"], payments={"RABBITMQ_URL": cable.url}) as shop,
        ):
            with step("warming up"):
                await rows.accepted_per_s(shop, self.servers, ORDERS // 4, self.next_seed())
            for number in range(1, ROUNDS + 1):
                with step(f"round {number}: orders at the orders service, and its floor"):
                    some = shop, self.servers
                    apart.append(await rows.accepted_apart_per_s(*some, cable, ORDERS, self.next_seed()))
                    beside.append(await rows.accepted_per_s(*some, ORDERS, self.next_seed()))
                    requests = ORDERS // 2
                    hello.append(await floors.hello_per_s(connections=rows.CONNECTIONS, requests=requests))
        self.facts["orders a second that orders accepts while payments decides"] = statistics.median(beside)
        return Row("accepted", "orders accepted by orders", "hello", "/s", apart, hello, at_least=0.5)

    async def drained(self) -> Row:
        drained, f50 = [], []
        for number in range(1, ROUNDS + 1):
            with step(f"round {number}: a full outbox drained, and its floor"):
                await self.servers.empty()
                f50.append(50 * floors.pgbench(self.servers, "f50.sql", seconds=8, clients=4))
                drained.append(await rows.drained_per_s(self.servers, ORDERS))
        return Row("drained", "a full outbox to decided orders", "F50", "/s", drained, f50, at_least=0.4)

    async def latency(self) -> list[Row]:
        p50, p99, floor = [], [], []
        await self.servers.empty()
        async with (
            BenchedShop(self.servers) as shop,
            floors.BrokerFloor(self.servers.rabbitmq) as broker,
        ):
            with step("warming up"):
                await rows.decided_per_s(shop, self.servers, ORDERS // 4, self.next_seed())
                await rows.finished_latencies(shop, 40, PACE_PER_S, self.next_seed())
            for number in range(1, ROUNDS + 1):
                with step(f"round {number}: {PACE_PER_S:g} orders a second"):
                    seconds = await rows.finished_latencies(shop, 300, PACE_PER_S, self.next_seed())
                    p50.append(seconds[len(seconds) // 2])
                    p99.append(seconds[len(seconds) * 99 // 100])
                    commit = await floors.commit_s(self.servers.bare, count=60, per_s=PACE_PER_S)
                    confirm = await broker.confirm_s(count=60, per_s=PACE_PER_S)
                    notification = await broker.notify_s(count=60, per_s=PACE_PER_S)
                    floor.append(3 * commit + 2 * confirm + notification)
            published, consumed = await broker.rates(count=5000)
            self.facts["messages a second that the broker confirms"] = published
            self.facts["messages a second that the broker delivers"] = consumed
        name = "3 commits + 3 confirms"
        return [
            Row("p50", "POST to FINISHED at 20/s, p50", name, "s", p50, floor, at_most=2),
            Row("p99", "POST to FINISHED at 20/s, p99", name, "s", p99, floor, at_most=4),
        ]

    async def grown(self) -> Row:
        """The same load on empty tables and on full ones, in turns."""
        empty: list[float] = []
        full: list[float] = []
        with step(f"{STORED:,} orders stored"):
            await self.servers.empty()
            with self.servers.other_databases():
                await self.servers.empty()
                await rows.store_decided(self.servers, STORED)
        with step("warming up"), self.servers.other_databases():
            async with BenchedShop(self.servers) as shop:
                await rows.decided_per_s(shop, self.servers, CHANGING_ORDERS, self.next_seed())
        for number in range(1, ROUNDS + 1):
            with step(f"round {number}: orders on empty tables"):
                empty.append(await self.decided_afresh())
            with step(f"round {number}: orders on top of {STORED:,}"), self.servers.other_databases():
                full.append(await self.decided_afresh())
        with step("audit"):
            await self.servers.audited()
            with self.servers.other_databases():
                await self.servers.audited()
        return Row("grown", f"the same on {STORED:,} orders", "empty tables", "/s", full, empty, at_least=0.9)

    async def decided_afresh(self) -> float:
        async with BenchedShop(self.servers) as shop:
            await rows.decided_per_s(shop, self.servers, ORDERS // 4, self.next_seed())
            per_s, _ = await rows.decided_per_s(shop, self.servers, ORDERS, self.next_seed())
            self.memory.append(max(shop.memory_mb().values()))
        return per_s

    def remembered(self) -> Row:
        floor = [150.0] * len(self.memory)
        return Row("memory", "memory of a service under load", "150 MB", "MB", self.memory, floor, at_most=1)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print what bench/results/latest.json gets")
    arguments = parser.parse_args()
    logging.disable(logging.INFO)
    started = time.monotonic()
    with private_servers() as servers:
        bench = Bench(servers, arguments.seed)
        table = uvloop.run(bench.run())
    document = report.text(report.as_json(table, bench.facts, (time.monotonic() - started) / 60))
    report.write("latest.json", document + "\n")
    report.write("latest.svg", report.chart(table))
    if arguments.json:
        print(document)
    else:
        report.show(report.on_stdout(), table, bench.facts)
    sys.exit(0 if all(row.reached for row in table) else 1)


if __name__ == "__main__":
    main()
