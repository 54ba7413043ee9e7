"""Switches databases over and back under load, without other faults."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from kernel.domain.caller import Role
from tests.chaos.shop import ChaosShop
from tests.servers.database import ReplicatedDatabase
from tests.servers.steady import Steady

BACK_AND_FORTH = 5
SERVED_WITHIN_S = 5.0


@dataclass
class Switched:
    switchovers: int = 0
    longest_s: float = 0.0
    """The longest time without an answer to a call of one kind."""
    broken: list[str] = field(default_factory=list)
    users: set[str] = field(default_factory=set)
    """The users whose orders and deposits this part has already compared with the stored data."""


async def switch_over_and_back(shop: ChaosShop, ends_at: float, report: Callable[[str], None]) -> Switched:
    """Switches over and back at least once and at most five times, until `ends_at`."""
    found = Switched()
    people = Steady(shop.gateway, shop.keys.headers("prover", Role.OPERATOR))
    shopping = asyncio.create_task(people.run())
    try:
        await people.served()
        while found.switchovers < 2 * BACK_AND_FORTH and (
            found.switchovers < 2 or time.monotonic() < ends_at
        ):
            report(f"switchover {found.switchovers + 1}")
            await _switch_over(shop, people, found)
    except (AssertionError, TimeoutError) as error:
        found.broken.append(f"a switchover did not end well: {error!r}")
    finally:
        people.stop()
        await shopping
    found.broken += people.faults
    found.users |= {people.user, people.buyer}
    return found


async def _switch_over(shop: ChaosShop, people: Steady, found: Switched) -> None:
    """Switches all databases over at once."""
    people.longest_s = 0.0
    databases = {n: one for n, one in shop.databases.items() if isinstance(one, ReplicatedDatabase)}
    await asyncio.gather(*(database.switch_over() for database in databases.values()))
    await people.served()
    found.switchovers += 1
    found.longest_s = max(found.longest_s, people.longest_s)
    if people.longest_s >= SERVED_WITHIN_S:
        found.broken.append(f"after a switchover nobody was served for {people.longest_s:.1f} s")
    for name, database in databases.items():
        await database.rewind()
        shop.database_moved(name)
    await people.served()
