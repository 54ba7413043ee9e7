"""The simulation on all cores: everything exhaustive, then random seeds as long as time is left."""

import ctypes
import gc
import logging
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.simulation.faults import OneFault
from tests.simulation.operator_flows import ACTING
from tests.simulation.scenarios import FLOWS, TALLY, describe, run
from tests.simulation.shop import Shop
from tests.simulation.test_exhaustive import named, schedules
from tests.simulation.test_random import DESTROYING_EVERY, random_run

STRUCK = FLOWS | ACTING
CHUNK = 20
SEEDS_PER_PROOF = 10**6
PR_SET_PDEATHSIG = 1


@dataclass
class Simulated:
    schedules: int = 0
    faults: int = 0
    broken: list[str] = field(default_factory=list)


Work = Callable[[], Simulated]


def calls(flow: str, first: int) -> Simulated:
    """Some of the schedules in which one port call of a flow meets one fault."""
    clients = STRUCK[flow]
    test = named("operators_act" if flow in ACTING else "whichever_call", clients)
    return tallied(
        (run(OneFault(number, fault), clients), test, {"SIM_CALL": number, "SIM_FAULT": fault.name})
        for number, fault in schedules(clients)[first : first + CHUNK]
    )


def seeds(first: int) -> Simulated:
    """Some random schedules; in every other lot operators act, in every tenth the bus destroys messages, and
    in every fourth there are two lanes."""
    lot = first // CHUNK
    options: dict[str, Any] = {}
    test = "at_random"
    if lot % DESTROYING_EVERY == 0:
        options, test = {"destroying": True}, "messages_are_destroyed"
    elif lot % 2 == 1:
        options, test = {"operators": True}, "operators_at_random"
    elif lot % 4 == 2:
        options, test = {"lanes": 2}, "in_lanes_at_random"
    return tallied(
        (random_run(seed, **options), test, {"SIM_SEED": seed}) for seed in range(first, first + CHUNK)
    )


def tallied(runs: Iterator[tuple[Shop, str, dict[str, object]]]) -> Simulated:
    TALLY.clear()
    broken = [describe(shop, test, **replay) for shop, test, replay in runs if shop.broken]
    return Simulated(TALLY["schedules"], TALLY["faults"], broken)


def simulate(seed: int, *, within_s: float, schedules_max: int, report: Callable[[str], None]) -> Simulated:
    """Stops early at so many schedules, or at a broken promise."""
    found = Simulated()
    deadline = time.monotonic() + within_s
    with workers() as pool:
        work = lots(seed)
        running = {pool.submit(next(work)) for _ in range(2 * (os.cpu_count() or 1))}
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for part in [future.result() for future in done]:
                found.schedules += part.schedules
                found.faults += part.faults
                found.broken += part.broken
                going_on = time.monotonic() < deadline and found.schedules < schedules_max
                if going_on and not found.broken:
                    running.add(pool.submit(next(work)))
            report(f"simulation: {found.schedules} schedules")
    return found


def lots(seed: int) -> Iterator[Work]:
    for name, flow in STRUCK.items():
        for first in range(0, len(schedules(flow)), CHUNK):
            yield partial(calls, name, first)
    first = seed * SEEDS_PER_PROOF
    while True:
        yield partial(seeds, first)
        first += CHUNK


@contextmanager
def workers() -> Iterator[Executor]:
    pool = ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn"), initializer=begin_work)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def begin_work() -> None:
    """Prepares a worker as the suite does: errors break a promise, garbage is collected between runs.

    Ctrl-C is for the parent to handle, and a worker does not outlive it on Linux.
    """
    logging.disable(logging.WARNING)
    gc.freeze()
    gc.disable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
