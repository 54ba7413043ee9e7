"""Kills processes under load, restarts them as a supervisor would, and counts lost and doubled orders."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import aiohttp

from bench.peers.load import bodies, place
from bench.peers.subjects import Running
from tests.servers.database import connected

CLIENTS = 32
ANSWERED_WITHIN_S = 10.0
AGAIN_AFTER_S = 0.05
RESTARTED_AFTER_S = 1.0
# Longer than any peer keeps a claim of a killed process.
STANDS_STILL_S = 30.0
# Long enough to see a repeat after such a claim ends (10 s).
QUIET_S = 15.0


@dataclass(frozen=True)
class Verdict:
    kills: int
    accepted: int
    lost: int
    """Accepted with 201, but not FINISHED; or charged, but not FINISHED; or FINISHED, but not charged."""
    doubled: int
    """Charged more than once."""
    stuck: int
    """Stored and still NEW, but never answered with 201."""
    money_off: Decimal
    """The money that the accounts lack beyond the charges; negative if they have too much."""

    @property
    def sound(self) -> bool:
        return not (self.lost or self.doubled or self.stuck or self.money_off)


def judged(
    kills: int,
    accepted: Set[UUID],
    statuses: Mapping[UUID, str],
    charges: Iterable[UUID],
    money_off: Decimal,
) -> Verdict:
    times = Counter(charges)
    finished = {order_id for order_id, status in statuses.items() if status == "FINISHED"}
    lost = (accepted - finished) | (times.keys() ^ finished)
    new = {order_id for order_id, status in statuses.items() if status == "NEW"}
    return Verdict(
        kills=kills,
        accepted=len(accepted),
        lost=len(lost),
        doubled=sum(number > 1 for number in times.values()),
        stuck=len(new - accepted - times.keys()),
        money_off=money_off,
    )


async def killed(running: Running, *, rounds: int, between_s: float, seed: int) -> Verdict:
    """Kills each kind in turn, `rounds` times, while clients continue to order."""
    accepted: set[UUID] = set()
    over = asyncio.Event()
    kinds = [*running.kinds] * rounds
    timeout = aiohttp.ClientTimeout(total=ANSWERED_WITHIN_S)
    async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as group:
        for number in range(CLIENTS):
            group.create_task(_client(session, running, accepted, seed * CLIENTS + number, over))
        for kind in kinds:
            await asyncio.sleep(between_s)
            await running.kill(kind)
            await asyncio.sleep(RESTARTED_AFTER_S)
            await running.restart(kind)
        await asyncio.sleep(between_s)
        over.set()
    await _all_finished(running, accepted)
    await asyncio.sleep(QUIET_S)
    return judged(len(kinds), accepted, *await _facts(running))


async def _client(
    session: aiohttp.ClientSession, running: Running, accepted: set[UUID], seed: int, over: asyncio.Event
) -> None:
    for body in bodies(seed):
        if over.is_set():
            return
        try:
            order_id = await place(session, running.url, body)
        except (aiohttp.ClientError, TimeoutError):
            order_id = None
        if order_id is None:
            await asyncio.sleep(AGAIN_AFTER_S)
        else:
            accepted.add(order_id)


async def _all_finished(running: Running, accepted: Set[UUID]) -> None:
    """Returns once all are FINISHED, or when none became FINISHED for STANDS_STILL_S: the rest is lost."""
    loop, query = asyncio.get_running_loop(), "SELECT id FROM orders WHERE status = 'FINISHED'"
    async with connected(running.orders_database) as database:
        count, moved_at = -1, 0.0
        while True:
            finished = {row["id"] for row in await database.fetch(query)}
            if len(finished) > count:
                count, moved_at = len(finished), loop.time()
            if accepted <= finished or loop.time() > moved_at + STANDS_STILL_S:
                return
            await asyncio.sleep(0.5)


async def _facts(running: Running) -> tuple[dict[UUID, str], list[UUID], Decimal]:
    async with connected(running.orders_database) as orders, connected(running.payments_database) as payments:
        statuses = {row["id"]: row["status"] for row in await orders.fetch("SELECT id, status FROM orders")}
        charges = await payments.fetch(running.charges)
        balances = await payments.fetchval("SELECT sum(balance) FROM accounts")
    spent = sum((Decimal(row["amount"]) for row in charges), Decimal(0))
    return statuses, [row["order_id"] for row in charges], running.funded - balances - spent
