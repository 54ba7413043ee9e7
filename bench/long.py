"""`make bench-long`: compares work on much data with the same work on little data."""

import argparse
import logging
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

import uvloop

from bench import growth, report, soak_rows, streams, stress
from bench.growth import Growth
from bench.published import BENCH, long_page
from bench.report import Row, step
from bench.servers import private_servers

PARTS: Mapping[str, Callable[[Growth], Awaitable[list[Row]]]] = {
    "stored": growth.on_stored,
    "backlog": growth.from_backlog,
    "hot": growth.on_hot_account,
    "tokens": growth.with_tokens,
    "streams": streams.beside_streams,
    "readers": stress.beside_readers,
    "lanes": growth.in_lanes,
    "overload": stress.under_overload,
    "soak": soak_rows.soaked,
}


async def measured(run: Growth, parts: Sequence[str]) -> list[Row]:
    """The rows of these parts. Each part begins on empty tables and ends with an audit."""
    table = []
    for part in parts:
        table += await PARTS[part](run)
        with step("audit"):
            await run.servers.audited()
    return table


def arguments_of() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-long", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=10.0, help="of the soak")
    parser.add_argument("--scale", type=float, default=1.0, help="for trying: 0.01 of the orders and streams")
    parser.add_argument(
        "--only", choices=PARTS, nargs="+", default=[*PARTS], help="for trying: some of the parts"
    )
    parser.add_argument("--json", action="store_true", help="print what bench/results/long.json gets")
    arguments = parser.parse_args()
    if not 0 < arguments.scale <= 1 or arguments.minutes < 0.1:
        parser.error("--scale is above 0 and at most 1, --minutes at least 0.1")
    return arguments


def main() -> None:
    arguments = arguments_of()
    logging.disable(logging.INFO)
    started = time.monotonic()
    with private_servers() as servers:
        run = Growth(servers, arguments.seed, arguments.scale, arguments.minutes)
        table = uvloop.run(measured(run, arguments.only))
    document = report.as_json(table, run.facts, (time.monotonic() - started) / 60)
    if run.looks:
        document["soak"] = soak_rows.as_json(run.looks, minutes=arguments.minutes)
    if arguments.scale == 1 and set(arguments.only) == set(PARTS):
        report.write("long.json", report.text(document) + "\n")
        BENCH.write_text(long_page(document))
    if arguments.json:
        print(report.text(document))
    else:
        report.show(report.on_stdout(), table, run.facts)
        if run.looks:
            soak_rows.show(report.on_stdout(), run.looks)
    sys.exit(0 if all(row.reached for row in table) else 1)


if __name__ == "__main__":
    main()
