"""A minute in which nothing is reliable, and everything comes out as it was answered.

CHAOS_SEED draws the same faults and the same load again.
"""

import os
import random
from pathlib import Path

from tests.chaos.engine import Chaos
from tests.chaos.shop import ChaosShop
from tests.servers.database import Database
from tests.servers.postgres import Template

SECONDS = float(os.environ.get("CHAOS_SECONDS", "50"))


async def test_nothing_is_lost_and_nothing_doubled(scratch: Path, template: Template, broker: str) -> None:
    seed = os.environ.get("CHAOS_SEED") or str(random.SystemRandom().randrange(10**9))
    print(f"CHAOS_SEED={seed}")
    databases = {
        name: Database(scratch / "chaos" / f"{name}-database", name, template)
        for name in ("orders", "payments")
    }
    async with ChaosShop(scratch / "chaos", databases, [broker]) as shop:
        kinds = [
            "kill",
            "freeze",
            "database crash",
            "cut",
            "stall",
            "delay",
            "half-open",
            "backlog",
            "duplicates",
            "reordered",
            "ten times",
        ]
        chaos = Chaos(shop, seed, kinds, fault_s_max=6, fault_every_s=1.5, tell=print)
        await chaos.round(SECONDS)
    print(
        chaos.faults,
        chaos.history.outcomes,
        chaos.decided_within_s,
        len(chaos.poisoner.confirmed),
        len(chaos.poisoner.unconfirmed),
    )
    assert not chaos.history.violations, "\n".join(chaos.history.violations[:50])
