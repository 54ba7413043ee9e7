"""Crashes and restarts the servers of lanes under load. Only users on the crashed server may notice it."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle
from uuid import uuid4

import aiohttp

from kernel.adapters.lanes.lane import LaneFinder
from tests.chaos.verdict import get
from tests.servers.lanes import LANES, LANES_OF_SERVER, ThreeOnLanes
from tests.servers.process import StartFailed, eventually
from tests.servers.steady import Steady

CALLS_MEANWHILE = 50
# The longest time between two answers, for users whose server lives.
SERVED_WITHIN_S = 5.0
DECIDED_WITHIN_S = 10.0


@dataclass
class Lost:
    times: int = 0
    longest_s: float = 0.0
    """The longest time without an answer to a call of one kind, for users of the other server."""
    broken: list[str] = field(default_factory=list)


async def lose_servers(shop: ThreeOnLanes, ends_at: float, report: Callable[[str], None]) -> Lost:
    """Crashes the servers in turn until `ends_at`, each at least once."""
    found = Lost()
    people = [Steady(shop.gateway, user=_user_on(number), buyer=_user_on(number)) for number in (0, 1)]
    shopping = [asyncio.create_task(one.run()) for one in people]
    try:
        await asyncio.gather(*(one.served() for one in people))
        for number in _turns(ends_at):
            report(f"server {number + 1} of 2 dies")
            await _lose(shop, number, people, found)
    except (AssertionError, TimeoutError) as error:
        found.broken.append(f"a server was not lost well: {error!r}")
    finally:
        for one in people:
            one.stop()
        await asyncio.gather(*shopping)
    found.broken += [fault for one in people for fault in one.faults]
    try:
        await shop.says("audit")
    except StartFailed as unsound:
        found.broken.append(f"audit of the lanes: {unsound}")
    return found


def _turns(ends_at: float) -> Iterator[int]:
    for turn in cycle((1, 0)):
        yield turn
        if turn == 0 and time.monotonic() > ends_at:
            return


async def _lose(shop: ThreeOnLanes, number: int, people: list[Steady], found: Lost) -> None:
    others = people[1 - number]
    others.longest_s = 0.0
    await shop.servers.crash(number)
    try:
        await others.served(CALLS_MEANWHILE)
        await _decided(shop, others)
    finally:
        await shop.servers.start_again(number)
    found.times += 1
    found.longest_s = max(found.longest_s, others.longest_s)
    if others.longest_s >= SERVED_WITHIN_S:
        found.broken.append(f"users of another server were not served for {others.longest_s:.1f} s")
    await people[number].served()
    for one in people:
        await _decided(shop, one)


async def _decided(shop: ThreeOnLanes, people: Steady) -> None:
    """Waits until every order that they have placed is decided."""
    async with aiohttp.ClientSession(shop.gateway) as session:
        for order in await get(session, f"/orders?userId={people.buyer}&status=NEW&limit=500"):

            async def is_decided(url: str = f"/orders/{order['id']}") -> bool:
                return bool((await get(session, url))["status"] != "NEW")

            await eventually(is_decided, within=DECIDED_WITHIN_S)


def _user_on(number: int) -> str:
    finder = LaneFinder(LANES)
    while True:
        user = f"steady-{uuid4()}"
        if finder.of_user(user) in LANES_OF_SERVER[number]:
            return user
