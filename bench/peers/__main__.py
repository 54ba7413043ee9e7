"""`make bench-peers`: measures the shop and the usual ways to build the same order, in one run."""

import argparse
import logging
import sys
import time

import uvloop

from bench import report
from bench.peers import table
from bench.peers.killing import killed
from bench.peers.load import finished_s, rate
from bench.peers.subjects import SUBJECTS, Subject
from bench.peers.table import Measured
from bench.report import step
from bench.servers import Servers, private_servers

CLIENTS = (1, 32, 128)
SECONDS = 8.0
ROUNDS = 2


async def measured(subject: Subject, servers: Servers, *, seconds: float, rounds: int, seed: int) -> Measured:
    async with subject.run(servers) as running:
        with step(f"{subject.key}: warming up"):
            await rate(running, clients=32, seconds=seconds / 3, seed=seed)
        with step(f"{subject.key}: one order after the other until it is FINISHED"):
            finished = await finished_s(running, seconds=seconds, seed=seed + 1)
        rates = {}
        for clients in CLIENTS:
            with step(f"{subject.key}: {clients} clients"):
                rates[clients] = await rate(
                    running, clients=clients, seconds=seconds, seed=seed + 1 + clients
                )
        with step(f"{subject.key}: kill -9 under load of {', '.join(running.kinds)}"):
            verdict = await killed(running, rounds=rounds, between_s=seconds / 4, seed=seed)
    return Measured(rates, finished, verdict)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench-peers", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=[subject.key for subject in SUBJECTS])
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each load")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of kills")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print what bench/results/peers.json gets")
    arguments = parser.parse_args()
    logging.disable(logging.INFO)
    started = time.monotonic()
    chosen = [subject for subject in SUBJECTS if not arguments.only or subject.key in arguments.only]
    how = {"seconds": arguments.seconds, "rounds": arguments.rounds, "seed": arguments.seed}
    results = []
    with private_servers() as servers:
        for subject in chosen:
            # A subject that fails, for example because a port is taken, loses only its own row.
            try:
                results.append((subject, uvloop.run(measured(subject, servers, **how))))
            except Exception:
                report.console.print_exception()
    if not results:
        sys.exit(1)
    document = table.as_json(results, (time.monotonic() - started) / 60)
    if len(results) == len(SUBJECTS) and arguments.seconds >= SECONDS:
        report.write("peers.json", report.text(document) + "\n")
        for path, text in table.pages(document).items():
            path.write_text(text)
    print(report.text(document) if arguments.json else table.markdown(document))
    # An order that a peer loses is a finding; an order that the shop loses is a failure.
    sound = all(subject.is_peer or result.verdict.sound for subject, result in results)
    sys.exit(0 if sound and len(results) == len(chosen) else 1)


if __name__ == "__main__":
    main()
