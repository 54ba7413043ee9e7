"""Audits a shop's databases: runs the checks that services declare, and compares orders with payments.

The audit only reads, and may run beside a running shop.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from kernel.adapters.postgres import outboxes
from kernel.adapters.postgres.audit import Check, Row
from kernel.adapters.postgres.checks.lanes import require_lanes
from kernel.adapters.postgres.checks.start import require_fit
from kernel.adapters.postgres.snapshot import Snapshot, snapshot
from kernel.domain.faults import IN_FLIGHT_MAX, Checked
from kernel.lane_servers import lane_servers, urls_of
from kernel.settings import SettingsError
from orders.adapters.outbound import claims as of_orders
from orders.domain.claims import Claim, suspects
from orders.domain.verdict import Key
from shop.audit import between
from shop.audit.findings import Findings, Report, Waiting
from shop.services import Shop

# If nothing is wrong, a pending order is decided within 10 s.
PATIENCE_S = 10.0
LOOK_EVERY_S = 1.0
# Suspect orders are checked again in batches of this size; only one batch is kept in memory.
SUSPECTS_MAX = 10_000
PROGRESS_EVERY = 1000
# A service's clock may be ahead of the database's.
CLOCK_AHEAD_MAX = timedelta(days=1)

# A callback. Its arguments are the number of rows checked so far, and the number of all rows.
Progress = Callable[[int, int], None]
# The checks of each service, by the service's name.
Checks = Mapping[str, Sequence[Check]]

# Checks that read several databases. The report shows them after the checks that services declare.
ORDERS, OUTBOXES = "orders", "outboxes"
PROMISES = {
    ORDERS: "paid once and as ordered, given back if refunded, not paid if cancelled; none forgotten",
    OUTBOXES: "events that wait are published",
}


def checks_of(shop: Shop) -> Checks:
    """The checks that each service declares. Raises SettingsError if two checks have the same name, because a
    report could not tell them apart."""
    checks = {name: shop.services[name].load_audit() for name in shop.stores}
    names = Counter([*PROMISES, *(check.name for declared in checks.values() for check in declared)])
    for name, count in names.items():
        if count > 1:
            raise SettingsError(f"two checks of the audit are named {name}")
    return checks


def promises_of(checks: Checks) -> Mapping[str, str]:
    """The promise that each check checks, by the name of the check, in the order of the report."""
    return {check.name: check.promise for declared in checks.values() for check in declared} | PROMISES


async def audit(
    shop: Shop,
    *,
    at_rest: bool = False,
    patience_s: float = PATIENCE_S,
    progress: Progress = lambda done, total: None,
) -> Report:
    """Audits the database of each service that has one, and returns the report.

    If two databases differ on an order, the order may be in progress. It is checked again for `patience_s`,
    and is a fault if the difference stays. Work that waits for a stopped service is no fault. With `at_rest`,
    every outbox row is a fault, and so is every undecided order that no parked message names.

    Lanes are audited one after another, each for up to `patience_s`.

    Raises SettingsError, SchemaMismatch or Unavailable; also in an ExceptionGroup, because databases are read
    concurrently.
    """
    checks = checks_of(shop)
    urls: dict[str, Sequence[str]] = {}
    for name in shop.stores:
        servers, schema = lane_servers(shop.settings[name]), shop.services[name].load_schema()
        for server in servers:
            await require_lanes(server.url, server.lanes, schema)
            await require_fit(server.url, schema, lanes=server.lanes, writes=False)
        urls[name] = urls_of(servers)
    findings = Findings({name: Checked(name) for name in promises_of(checks)})
    for lane in range(max(map(len, urls.values()))):
        of_lane = {name: of_service[lane] for name, of_service in urls.items() if lane < len(of_service)}
        others = [url for of_service in urls.values() for url in of_service if url not in of_lane.values()]
        deadline = asyncio.get_running_loop().time() + patience_s
        await _Audit(of_lane, others, checks, at_rest, deadline, progress, findings).run()
    return findings.report()


@dataclass
class _Audit:
    """The audit of one lane."""

    urls: Mapping[str, str]
    """The URL of this lane's database, by the service's name."""
    others: Sequence[str]
    """The URLs of the databases of all other lanes."""
    checks: Checks
    at_rest: bool
    deadline: float
    progress: Progress
    findings: Findings
    done: int = 0
    total: int = 0

    async def run(self) -> None:
        databases: dict[str, Snapshot] = {}
        rows: dict[str, Row] = {}
        heads: dict[str, outboxes.Heads] = {}
        async with AsyncExitStack() as opened:
            # Orders is read before payments: payments has stored every decision that orders knows.
            for name, url in self.urls.items():
                database = databases[name] = await opened.enter_async_context(snapshot(url))
                rows[name] = await database.row(_counting(self.checks[name]))
                heads[name] = await outboxes.heads(database, await self._overdue(database))
            orders = await databases["orders"].row(between.COUNTS)
            counts = {
                check.name: sum(rows[name][table] for table in check.tables)
                for name in self.urls
                for check in self.checks[name]
            }
            counts[ORDERS] = orders["orders"]
            counts[OUTBOXES] = sum(row["outbox"] for row in rows.values())
            aside = sum(row["aside"] for row in rows.values())
            self.total = sum(counts.values())
            async with asyncio.TaskGroup() as group:
                for name, database in databases.items():
                    group.create_task(self._check_within(name, database, counts))
            now = (await databases["orders"].row("SELECT now()"))[0]
            settled = now + CLOCK_AHEAD_MAX if self.at_rest else now - IN_FLIGHT_MAX
            await self._check_between(
                of_orders.claims(databases["orders"], settled),
                between.decided(databases["payments"]),
                counts[ORDERS],
            )
        async with asyncio.TaskGroup() as group:
            for name, url in self.urls.items():
                group.create_task(self._check_outbox(url, heads[name]))
        self._advance(counts[OUTBOXES])
        idle = []
        for name, url in self.urls.items():
            async with snapshot(url) as database:
                if not await between.service_runs(database, url):
                    idle.append(name)
        outbox = counts[OUTBOXES] - aside
        self.findings.waiting.append(Waiting(orders["new"], orders["refunding"], outbox, idle, aside))
        self.findings.parked += sum(row["parked_messages"] for row in rows.values())
        for check, count in counts.items():
            self.findings.checked[check].count += count

    async def _check_within(self, name: str, database: Snapshot, counts: Mapping[str, int]) -> None:
        """Runs the checks that the service `name` declares on its own database."""
        for check in self.checks[name]:
            async for row in database.stream(check.query):
                self.findings.checked[check.name].add(check.faults_of(row))
            self._advance(counts[check.name])

    async def _check_between(
        self, placed: AsyncIterator[Claim], decided: AsyncIterator[Claim], count: int
    ) -> None:
        keys: list[Key] = []
        seen = 0
        async for key in suspects(placed, decided):
            seen += 1
            if seen % PROGRESS_EVERY == 0 and seen <= count:
                self._advance(PROGRESS_EVERY)
            if key is not None:
                keys.append(key)
            if len(keys) == SUSPECTS_MAX:
                await self._look_again(keys)
                keys = []
        await self._look_again(keys)
        self._advance(count - min(seen, count) // PROGRESS_EVERY * PROGRESS_EVERY)

    async def _look_again(self, keys: Sequence[Key]) -> None:
        """Checks suspect orders again until the audit's deadline. Orders that are still wrong are faults."""
        while keys:
            patient = await self._wait()
            faults = await between.look(keys, self.urls, self.others, at_rest=self.at_rest)
            keys = list(faults)
            if not patient:
                for found in faults.values():
                    self.findings.checked[ORDERS].add(found)
                return

    async def _check_outbox(self, url: str, was: outboxes.Heads) -> None:
        stuck = was
        while stuck:
            patient = await self._wait()
            async with snapshot(url) as database:
                before = await self._overdue(database)
                heads = await outboxes.heads(database, before)
                stuck = outboxes.still_stuck(was, heads, at_rest=self.at_rest)
                if patient:
                    continue
                if self.at_rest or await between.service_runs(database, url):
                    async for row in database.stream(outboxes.STUCK, before, list(stuck)):
                        self.findings.checked[OUTBOXES].add([outboxes.stuck_fault(row)])
                return

    async def _overdue(self, database: Snapshot) -> UUID:
        """The upper bound of the ids of outbox rows that should have been published by now."""
        return outboxes.ANY_ID if self.at_rest else await outboxes.overdue(database)

    async def _wait(self) -> bool:
        """Waits LOOK_EVERY_S, or less at the deadline. Returns whether there is time to wait once more."""
        left_s = self.deadline - asyncio.get_running_loop().time()
        await asyncio.sleep(max(0.0, min(LOOK_EVERY_S, left_s)))
        return left_s > LOOK_EVERY_S

    def _advance(self, rows: int) -> None:
        self.done += rows
        self.progress(self.done, self.total)


def _counting(checks: Sequence[Check]) -> str:
    tables = {"outbox", "parked_messages", *(table for check in checks for table in check.tables)}
    counts = ", ".join(f"(SELECT count(*) FROM {table}) AS {table}" for table in sorted(tables))
    return f"SELECT {counts}, ({outboxes.COUNT_ASIDE}) AS aside"
