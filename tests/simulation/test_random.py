"""Many people, two replicas of everything, several faults at once, and a bus that repeats and reorders.

SIM_SEED replays the one run that a failure names; SIM_SEEDS is how many there are.
"""

import os
import subprocess
import sys
from typing import Any

import pytest

from tests.simulation.faults import RandomFaults
from tests.simulation.operator_flows import operated
from tests.simulation.scenarios import describe, run, shoppers
from tests.simulation.shop import Shop

SEEDS_COUNT = int(os.environ.get("SIM_SEEDS", "500"))
DESTROYING_EVERY = 10
OPERATED_EVERY = 40
IN_LANES_EVERY = 20
PARTS = 1 if "SIM_SEED" in os.environ else 10


def seeds(first: int, count: int) -> list[int]:
    return [int(os.environ["SIM_SEED"])] if "SIM_SEED" in os.environ else list(range(first, first + count))


def random_run(seed: int, users: int | None = None, *, operators: bool = False, **options: Any) -> Shop:
    """In every fourth run the inbox forgets within a second, so that only business keys protect."""
    clients = shoppers(seed, users)
    forgetful = {"prune_every_s": 0.5, "inbox_kept_s": 1.0} if seed % 4 == 3 else {}
    faults = RandomFaults(seed, destroying=options.get("destroying", False))
    options = {"replicas": 2, "subscribes_after_s": 0.2, "skew_s": 0.1, **forgetful, **options}
    return run(faults, operated(seed, clients) if operators else clients, **options)


@pytest.mark.parametrize("part", range(PARTS))
def test_at_random_every_promise_is_kept(part: int) -> None:
    for seed in seeds(part * SEEDS_COUNT // PARTS, SEEDS_COUNT // PARTS):
        shop = random_run(seed)
        assert not shop.broken, describe(shop, "at_random", SIM_SEED=seed)


def test_of_operators_at_random_every_promise_is_kept() -> None:
    for seed in seeds(0, SEEDS_COUNT // OPERATED_EVERY):
        shop = random_run(seed, operators=True)
        assert not shop.broken, describe(shop, "operators_at_random", SIM_SEED=seed)


def test_in_lanes_at_random_every_promise_is_kept() -> None:
    for seed in seeds(0, SEEDS_COUNT // IN_LANES_EVERY):
        shop = random_run(seed, lanes=2)
        assert not shop.broken, describe(shop, "in_lanes_at_random", SIM_SEED=seed)


def test_where_messages_are_destroyed_asking_again_heals() -> None:
    destroyed = requests = 0
    for seed in seeds(0, SEEDS_COUNT // DESTROYING_EVERY):
        shop = random_run(seed, destroying=True)
        assert not shop.broken, describe(shop, "messages_are_destroyed", SIM_SEED=seed)
        destroyed += shop.broker.destroyed_count
        requests += shop.repeated_requests_count
    assert requests > 0 or not destroyed


PROGRAM = """
import logging; logging.disable()
from tests.simulation.test_random import stories
print(stories())
"""


def stories() -> str:
    return "\n".join(line for seed in range(3) for line in random_run(seed).story())


def test_a_seed_is_the_same_run_again_in_any_process() -> None:
    """The hashes of texts differ there, and with them the order of sets."""
    elsewhere = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=os.environ | {"PYTHONHASHSEED": "1", "PYTHONPATH": "."},
        capture_output=True,
        text=True,
        check=True,
    )
    assert stories() == elsewhere.stdout.rstrip("\n")
