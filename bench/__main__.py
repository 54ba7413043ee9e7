"""`make bench`: measures the rows of bench/README.md in one run."""

import argparse
import logging
import statistics
import sys
import time

import uvloop

from bench import floors, report, rows
from bench.benched_shop import BenchedShop
from bench.chart import chart
from bench.curve import REACH, Points, as_rows, costs, curve
from bench.published import pages
from bench.report import Row, step
from bench.rest import at_rest, starts
from bench.servers import Servers, private_servers
from tests.servers.cable import Cable

ROUNDS = 2
ORDERS = 20_000
PACE_PER_S = 20.0
# The CPU of a lone order before decision 24, as a multiple of F1's.
LONE_CPU_BEFORE = 11.0


class Bench:
    """Measures every row, round by round. Each figure is measured right before or after its floor."""

    def __init__(self, servers: Servers, seed: int) -> None:
        self.servers = servers
        self.seed = seed
        self.facts: dict[str, float] = {}
        self.memory: list[float] = []
        self.curves: dict[str, Points] = {}

    async def run(self) -> list[Row]:
        return [
            *await self.decided(),
            *await self.lone(),
            *await self.accepted(),
            await self.drained(),
            *await self.latency(),
            self.remembered(),
            *await self.at_rest(),
        ]

    def next_seed(self) -> int:
        self.seed += 1
        return self.seed

    async def decided(self) -> list[Row]:
        table = []
        for key, title in (("three", "three processes"), ("one", "one process")):
            await self.servers.empty()
            async with BenchedShop(self.servers, one_process=key == "one") as shop:
                with step("warming up"):
                    await rows.decided_per_s(shop, self.servers, ORDERS // 4, self.next_seed())
                points = await curve(shop, self.servers, title, self.next_seed())
                if key == "three":
                    self.memory.append(max(shop.memory_mb().values()))
            self.curves[title] = points
            table += as_rows(key, title, points)
            with step("audit"):
                await self.servers.audited()
        under_load = self.curves["three processes"][max(REACH)]
        generator_s = statistics.median(point.generator_s for point in under_load)
        self.facts["µs of a core that the load generator takes for a request"] = generator_s * 1e6
        # deploy/capacity.py calculates with these facts.
        for part, seconds in costs(under_load).items():
            self.facts[f"µs of a core that {part} takes for an order"] = seconds * 1e6
        return table

    async def lone(self) -> list[Row]:
        """Rows of one client that waits for each answer before it sends the next order."""
        alone = self.curves["three processes"][1]
        floor = []
        for number, _ in enumerate(alone, 1):
            with step(f"round {number}: the floor of a lone client"):
                hello = await floors.hello(connections=1, requests=2_000)
                commit_s = await floors.commit_s(self.servers.bare, count=2_000)
                floor.append(commit_s + statistics.median(hello.latencies_s))
        for part, seconds in costs(alone).items():
            self.facts[f"µs of a core that {part} takes for a lone order"] = seconds * 1e6
        return [
            Row(
                "lone-answer", "answer to the POST of a lone client, p50", "1 commit + 1 hello", "s",
                [point.answer_s for point in alone], floor, at_most=3,
            ),
            Row(
                "lone-cpu", "CPU of a lone order, all processes", "CPU of F1, 1 connection", "s",
                [sum(point.cpu_s.values()) for point in alone], [point.floor_cpu_s for point in alone],
                at_most=LONE_CPU_BEFORE / 3,
            ),
        ]  # fmt: skip

    async def accepted(self) -> list[Row]:
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
                    answers = await floors.hello(connections=rows.CONNECTIONS, requests=ORDERS // 2)
                    hello.append(answers.per_s)
        title = "orders accepted by orders"
        return [
            Row("accepted", title, "hello", "/s", apart, hello, at_least=0.5),
            Row(
                "accepted-beside",
                f"{title} while payments decides",
                "hello",
                "/s",
                beside,
                hello,
                at_least=0.25,
            ),
        ]

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

    def remembered(self) -> Row:
        floor = [150.0] * len(self.memory)
        return Row("memory", "memory of a service under load", "150 MB", "MB", self.memory, floor, at_most=1)

    async def at_rest(self) -> list[Row]:
        return [*await at_rest(self.servers), *await starts(self.servers)]


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
    document = report.as_json(table, bench.facts, (time.monotonic() - started) / 60)
    report.write("latest.json", report.text(document) + "\n")
    report.write("latest.svg", chart(bench.curves))
    for path, text in pages(document).items():
        path.write_text(text)
    if arguments.json:
        print(report.text(document))
    else:
        report.show(report.on_stdout(), table, bench.facts)
    sys.exit(0 if all(row.reached for row in table) else 1)


if __name__ == "__main__":
    main()
