"""`make prove`: the whole proof, with its progress, and a table of facts at the end.

PROVE_MINUTES bounds it, PROVE_SEED draws the same again, PROVE_JSON=1 prints the facts for programs.
"""

import json
import os
import random
import sys
import warnings

from rich.console import Console

from tests.chaos.progress import ProgressLine, show
from tests.chaos.proof import Proof
from tests.servers.rabbitmq import NoBroker


def main() -> int:
    """Runs the proof. Returns the exit code, which is 0 only if no promise was broken."""
    try:
        minutes = float(os.environ.get("PROVE_MINUTES") or 10)
        seed = int(os.environ.get("PROVE_SEED") or random.SystemRandom().randrange(10**6))
    except ValueError as error:
        print(f"PROVE_MINUTES must be a number, and PROVE_SEED a whole one: {error}", file=sys.stderr)
        return 2
    if minutes < 1 or seed < 0:
        print("PROVE_MINUTES must be at least 1, and PROVE_SEED not negative.", file=sys.stderr)
        return 2
    # aiormq leaves coroutines that were never awaited when a broker is killed.
    warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
    console = Console(stderr=True)
    console.print(f"PROVE_SEED={seed} PROVE_MINUTES={minutes:g}")
    try:
        with ProgressLine(console, minutes * 60) as report:
            facts = Proof(seed, minutes * 60, report).run()
    except NoBroker as missing:
        print(missing, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    if os.environ.get("PROVE_JSON"):
        print(json.dumps(facts.as_json()))
    else:
        show(facts, Console())
    if not facts.broken:
        return 0
    console.print(f"Replay: PROVE_SEED={seed} PROVE_MINUTES={minutes:g} make prove", highlight=False)
    return 1


if __name__ == "__main__":
    sys.exit(main())
