"""Plans the capacity that each part needs for a load of orders, from the results of `make bench`.

    python3 deploy/capacity.py ORDERS_PER_S [--busy 0.6] [--cores 32] [--results bench/results/latest.json]

The model is linear: cores = orders a second * µs of a core for an order / --busy, with the µs that the bench
measured under full load. A process of the shop uses one core, a database server at most --cores.
docs/scaling.md says what the model leaves out, and what lanes cost.

Needs Python's standard library, and in the results the facts "µs of a core that PART takes for an order".
"""

import argparse
import json
import math
import re
import sys
from dataclasses import dataclass
from pathlib import Path

RESULTS = Path(__file__).parents[1] / "bench/results/latest.json"
FACT = re.compile(r"µs of a core that (?P<part>[\w-]+) takes for an order")
PROCESSES = ("gateway", "orders", "payments")
DATABASES = ("orders-db", "payments-db")
BROKER = "rabbitmq"
BROKER_NODES = 3
POOL_SIZE = 10


@dataclass(frozen=True)
class Need:
    part: str
    cores: float
    what: str


def costs(results: Path) -> dict[str, float]:
    """µs of a core for an order, by part. Raises SystemExit, in one line, where they are not measured."""
    if not results.exists():
        raise SystemExit(f"{results} is not there: run `make bench` on a machine of the kind you plan for.")
    facts = json.loads(results.read_text())["facts"]
    found = {match["part"]: float(value) for name, value in facts.items() if (match := FACT.fullmatch(name))}
    if missing := [part for part in (*PROCESSES, *DATABASES, BROKER) if part not in found]:
        raise SystemExit(f"{results} does not tell what {', '.join(missing)} takes for an order.")
    return found


def needs(costs: dict[str, float], orders_per_s: float, busy: float, cores_max: int) -> list[Need]:
    """What each part needs for this many orders a second, each part at most `busy`."""
    cores = {part: orders_per_s * us / 1e6 / busy for part, us in costs.items()}
    replicas = {part: max(1, math.ceil(cores[part])) for part in PROCESSES}
    found = [Need(part, cores[part], f"{replicas[part]} replicas") for part in PROCESSES]
    for part in DATABASES:
        primaries = max(1, math.ceil(cores[part] / cores_max))
        connections = replicas[part.removesuffix("-db")] * POOL_SIZE
        what = f"1 primary; {connections} connections"
        if primaries > 1:
            lanes = 2 ** math.ceil(math.log2(primaries))
            what = f"{primaries} primaries, SHOP_LANES={lanes} or more; {connections} connections to each"
        found.append(Need(part, cores[part], what))
    nodes = f"{BROKER_NODES} nodes of {max(2, math.ceil(cores[BROKER]))} cores"
    found.append(Need(BROKER, cores[BROKER], f"{nodes}: every node keeps every message"))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("orders_per_s", type=float)
    parser.add_argument("--busy", type=float, default=0.6, help="how much of each core is planned for (0.6)")
    parser.add_argument("--cores", type=int, default=32, help="the most cores of a database server (32)")
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args()
    if given.orders_per_s <= 0 or not 0 < given.busy <= 1 or given.cores < 1:
        sys.exit("ORDERS_PER_S and --cores must be positive, and --busy above 0 and at most 1.")
    measured = costs(given.results)
    print(f"{'part':12} {'µs an order':>12} {'cores':>8}  what that takes, at most {given.busy:.0%} busy")
    for need in needs(measured, given.orders_per_s, given.busy, given.cores):
        print(f"{need.part:12} {measured[need.part]:12.0f} {need.cores:8.1f}  {need.what}")
    first = max(PROCESSES, key=lambda part: measured[part])
    print(f"\nOf single processes {first} is full first, at {1e6 / measured[first]:,.0f} orders a second.")


if __name__ == "__main__":
    main()
