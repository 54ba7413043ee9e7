"""The audit: whether both databases keep every promise about orders and money.

It only reads, and may run beside a working shop.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from datetime import timedelta

from kernel.adapters.postgres.checks.start import require_fit
from orders.adapters.outbound.tables import SCHEMA as ORDERS
from payments.adapters.outbound.tables import SCHEMA as PAYMENTS
from shop.audit import between, orders, outboxes, payments
from shop.audit.findings import Check, Fault, Findings, Report, Waiting
from shop.audit.running import runs
from shop.audit.snapshot import Row, Snapshot, snapshot
from shop.audit.verdict import IN_FLIGHT_MAX, Key

# What is under way is decided within 10 s, if nothing is wrong.
PATIENCE_S = 10.0
LOOK_EVERY_S = 1.0
# Orders that are looked at again together; they are the only ones that are kept in memory.
SUSPECTS_MAX = 10_000
PROGRESS_EVERY = 1000
# The clocks of services are not that of the database.
CLOCK_AHEAD_MAX = timedelta(days=1)

# Is called with how many rows are done, and of how many.
Progress = Callable[[int, int], None]
Within = Iterable[tuple[Check, str, Callable[[Row], Iterator[Fault]]]]


async def audit(
    orders_url: str,
    payments_url: str,
    *,
    at_rest: bool = False,
    patience_s: float = PATIENCE_S,
    progress: Progress = lambda done, total: None,
) -> Report:
    """Check both databases, given as libpq URLs.

    What differs between them may only be under way: it is looked at again for `patience_s`, and is a fault if
    it stays wrong. What waits for a service that is not running is no fault. With `at_rest` nothing may be
    under way: every undecided order, unless a parked message names it, and every row of an outbox is a fault.

    Raises SchemaMismatch, and Unavailable, which may come in a group, for the databases were read at once.
    """
    await require_fit(orders_url, ORDERS, writes=False)
    await require_fit(payments_url, PAYMENTS, writes=False)
    return await _Audit(orders_url, payments_url, at_rest, patience_s, progress).run()


class _Audit:
    def __init__(
        self, orders_url: str, payments_url: str, at_rest: bool, patience_s: float, progress: Progress
    ) -> None:
        self._orders_url, self._payments_url = orders_url, payments_url
        self._at_rest = at_rest
        self._deadline = asyncio.get_running_loop().time() + patience_s
        self._progress = progress
        self._done = self._total = 0
        self._findings = Findings()

    async def run(self) -> Report:
        # Orders first: whatever they know of a decision, payments knew before.
        async with snapshot(self._orders_url) as of_orders:
            some = await of_orders.row(orders.COUNTS)
            async with snapshot(self._payments_url) as of_payments:
                others = await of_payments.row(payments.COUNTS)
                counts = _counts(some, others)
                self._total = sum(counts.values())
                now = (await of_orders.row("SELECT now()"))[0]
                before = outboxes.ANY_ID if self._at_rest else outboxes.made_before(now - IN_FLIGHT_MAX)
                heads = [await outboxes.heads(database, before) for database in (of_orders, of_payments)]
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._check_within(of_orders, orders.WITHIN, counts))
                    group.create_task(self._check_within(of_payments, payments.WITHIN, counts))
                settled = now + CLOCK_AHEAD_MAX if self._at_rest else now - IN_FLIGHT_MAX
                await self._check_between(
                    of_orders.stream(between.ORDERS, settled),
                    of_payments.stream(between.PAYMENTS),
                    counts[Check.ORDERS],
                )
        urls = (self._orders_url, self._payments_url)
        async with asyncio.TaskGroup() as group:
            for url, was in zip(urls, heads, strict=True):
                group.create_task(self._check_outbox(url, was))
        self._advance(counts[Check.OUTBOXES])
        idle = []
        for service, url in zip(("orders", "payments"), urls, strict=True):
            async with snapshot(url) as database:
                idle += [] if await runs(database) else [service]
        waiting = Waiting(some["new"], some["refunding"], counts[Check.OUTBOXES], idle)
        return self._findings.report(counts, waiting, parked=some["parked"] + others["parked"])

    async def _check_within(self, database: Snapshot, checks: Within, counts: dict[Check, int]) -> None:
        """What one database tells by itself; nothing of it can be under way, since a transaction is whole."""
        for check, query, faults_of in checks:
            async for row in database.stream(query):
                self._add(faults_of(row))
            self._advance(counts[check])

    async def _check_between(
        self, placed: AsyncIterator[Row], decided: AsyncIterator[Row], count: int
    ) -> None:
        keys: dict[Key, None] = {}
        seen = 0
        async for key in between.suspects(placed, decided):
            seen += 1
            if seen % PROGRESS_EVERY == 0 and seen <= count:
                self._advance(PROGRESS_EVERY)
            if key is not None:
                keys[key] = None
            if len(keys) == SUSPECTS_MAX:
                await self._look_again(list(keys))
                keys.clear()
        await self._look_again(list(keys))
        self._advance(count - min(seen, count) // PROGRESS_EVERY * PROGRESS_EVERY)

    async def _look_again(self, keys: Sequence[Key]) -> None:
        """Only what stays wrong is a fault. The patience is for all together, from the audit's start."""
        while keys:
            patient = await self._moment()
            faults = await between.look(keys, self._orders_url, self._payments_url, at_rest=self._at_rest)
            keys = list(faults)
            if not patient:
                for found in faults.values():
                    self._add(found)
                return

    async def _check_outbox(self, url: str, was: outboxes.Heads) -> None:
        stuck = was
        while stuck:
            patient = await self._moment()
            async with snapshot(url) as database:
                now = (await database.row("SELECT now()"))[0]
                before = outboxes.ANY_ID if self._at_rest else outboxes.made_before(now - IN_FLIGHT_MAX)
                stuck = outboxes.still_stuck(
                    was, await outboxes.heads(database, before), at_rest=self._at_rest
                )
                if not patient:
                    if not self._at_rest and not await runs(database):
                        return
                    async for row in database.stream(outboxes.STUCK, before, list(stuck)):
                        self._add([outboxes.stuck_fault(row)])
                    return

    async def _moment(self) -> bool:
        """Waits a moment; whether there is time for another one."""
        left_s = self._deadline - asyncio.get_running_loop().time()
        await asyncio.sleep(max(0.0, min(LOOK_EVERY_S, left_s)))
        return left_s > LOOK_EVERY_S

    def _add(self, faults: Iterable[Fault]) -> None:
        for fault in faults:
            self._findings.add(fault)

    def _advance(self, rows: int) -> None:
        self._done += rows
        self._progress(self._done, self._total)


def _counts(some: Row, others: Row) -> dict[Check, int]:
    return {
        Check.ACCOUNTS: others["accounts"],
        Check.TRANSFERS: others["transfers"],
        Check.MONEY: others["accounts"] + others["transfers"],
        Check.DECISIONS: others["payments"],
        Check.HISTORIES: some["orders"],
        Check.ORDERS: some["orders"],
        Check.OUTBOXES: some["outbox"] + others["outbox"],
    }
