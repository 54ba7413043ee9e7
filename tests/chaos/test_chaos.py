"""Half a minute of faults. Afterwards, everything has to be as the clients were told.

With the same CHAOS_SEED, the same faults and load are drawn.
"""

import os
import random
from collections.abc import AsyncIterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos.engine import Chaos
from tests.chaos.history import Outcome
from tests.chaos.messages import remove_queues
from tests.chaos.shop import SERVICES, ChaosShop
from tests.servers.database import Database
from tests.servers.postgres import Template

# Long enough for every kind of fault; the rounds of `make prove` take a minute.
ROUND_S = 30
FAULT_S_MAX = 6
FAULT_EVERY_S = 1.5
# Other tests share the broker, so it is not killed.
KINDS = (
    "kill", "freeze", "database crash", "cut", "stall", "delay", "half-open", "backlog",
    "duplicates", "reordered", "ten times",
)  # fmt: skip


@pytest.fixture(scope="module")
async def chaos(scratch: Path, template: Template, broker: str) -> AsyncIterator[Chaos]:
    """A chaos run at rest, after one round."""
    seed = os.environ.get("CHAOS_SEED") or str(random.SystemRandom().randrange(10**9))
    print(f"CHAOS_SEED={seed}")
    databases = {name: Database(scratch / "chaos" / f"{name}-database", name, template) for name in SERVICES}
    await remove_queues([broker])
    async with ChaosShop(scratch / "chaos", databases, [broker]) as shop:
        chaos = Chaos(shop, seed, KINDS, FAULT_S_MAX, FAULT_EVERY_S)
        await chaos.round(ROUND_S)
        yield chaos
    await remove_queues([broker])


def test_nothing_is_lost_and_nothing_doubled(chaos: Chaos) -> None:
    history = chaos.history
    assert not history.violations, "\n".join(history.violations[:20])
    assert len(chaos.faults) >= 8
    assert chaos.hostile.acts > 0
    assert chaos.stranger.refused > 0
    assert history.outcomes[Outcome.ACCEPTED] > 0
    assert history.outcomes[Outcome.REFUSED] > 0


async def test_whatever_differs_from_what_people_were_told_is_named(chaos: Chaos) -> None:
    story = chaos.history
    chaos.history = history = deepcopy(story)
    paid = [one for one in history.orders.values() if one.paid and one.cancellation is Outcome.REFUSED]
    lost, refused, other, dear, cancelled = paid[:5]
    history.orders["lost"] = replace(lost, tag="lost", id="lost")
    refused.outcome = Outcome.REFUSED
    other.id = "other"
    dear.amount += 1
    cancelled.cancellation = Outcome.ACCEPTED
    history.deposit(lost.user, 1).outcome = Outcome.ACCEPTED
    next(one for one in history.deposits if one.outcome is Outcome.ACCEPTED).outcome = Outcome.REFUSED
    unsent = chaos.poisoner.confirmed.pop()
    try:
        await chaos.verify()
    finally:
        chaos.history = story
        chaos.poisoner.confirmed.append(unsent)
    named = "\n".join(history.violations)
    for what in (
        "accepted, and lost: Order", "refused, and stored", "answered as other", "is shown as",
        "no outcome for an order", "deposited, and lost: Wish", "nobody deposited", f"{dear.user} has",
        "what is no poison",
    ):  # fmt: skip
        assert what in named, what
    assert (history.lost, history.doubled) == (2, 1)
