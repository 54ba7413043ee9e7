"""Runs the audit: checks orders, asks payments to check its database, and compares orders with payments."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from kernel.domain.errors import Contention, OutcomeUnknown, Unavailable
from kernel.domain.faults import IN_FLIGHT_MAX, Checked, Fault
from kernel.ports.clock import Clock
from kernel.ports.own_checks import OwnChecks
from kernel.ports.unit_of_work import UnitOfWork
from orders.domain.audit_run import AuditRun
from orders.domain.claims import Claim, faults_of, suspects
from orders.domain.verdict import Key
from orders.ports.audit import AuditRuns, OrderClaims, PaymentClaims

PAGE = 500
# The maximum number of suspects that one call reads.
LOOK_MAX = 200
RENEW_EVERY_S = 2.0
# Work under way ends within this time. A suspect that still differs then has a fault.
PATIENCE = timedelta(seconds=10)
LOOK_EVERY_S = 1.0
# A service that is being upgraded or fails over answers again within this time.
AWAY_MAX = timedelta(seconds=30)
ORDERS = "orders"

_LATER = (Unavailable, OutcomeUnknown, Contention)

T = TypeVar("T")

logger = logging.getLogger(__name__)


@dataclass
class RunAudit:
    """Runs all checks of an audit. Meanwhile renews the lease of the run, and stores progress and faults."""

    uow: UnitOfWork
    runs: AuditRuns
    own: OwnChecks
    orders: OrderClaims
    payments: PaymentClaims
    clock: Clock

    async def __call__(self, run: AuditRun) -> None:
        work = asyncio.ensure_future(self._work(run))
        try:
            while not (await asyncio.wait({work}, timeout=RENEW_EVERY_S))[0]:
                if not await self._saved(run):
                    return
            await self._end(run, work)
        finally:
            work.cancel()

    async def _end(self, run: AuditRun, work: "asyncio.Future[None]") -> None:
        error = work.exception()
        run.end(self.clock.now(), None if error is None else _in_words(error))
        if error is not None and not isinstance(error, Unavailable):
            logger.error("audit %d failed", run.number, exc_info=error)
        await self._retried(partial(self._save, run))

    async def _saved(self, run: AuditRun) -> bool:
        """Saves the progress; after a failure, the next turn saves it. False if this process lost the run."""
        with suppress(*_LATER):
            return await self._save(run)
        return True

    async def _save(self, run: AuditRun) -> bool:
        run.renew(self.clock.now())
        async with self.uow:
            return await self.runs.save(run)

    async def _work(self, run: AuditRun) -> None:
        run.enter("the checks of orders")
        for checked in await self._retried(self.own.run):
            run.add(checked)
        run.enter("the checks of payments")
        for checked in await self._retried(self.payments.checked):
            run.add(checked)
        await self._compare(run)

    async def _compare(self, run: AuditRun) -> None:
        """Compares orders with payments, page by page. KnownOrders says why orders are read first."""
        run.enter("each order with its payment", await self._retried(self.orders.count))
        checked = Checked(ORDERS)
        began = self.clock.now()
        after: Key | None = None
        while True:
            settled = self.clock.now() - IN_FLIGHT_MAX
            ask = partial(self.orders.page, after, settled=settled, count_max=PAGE)
            page = await self._retried(ask)
            until = page[-1].key if len(page) == PAGE else None
            merged = suspects(_each(page), self._decided(after, until))
            await self._look(checked, [key async for key in merged if key], began + PATIENCE)
            checked.count += len(page)
            run.done = checked.count
            if until is None:
                break
            after = until
        run.add(checked)

    async def _decided(self, after: Key | None, until: Key | None) -> AsyncIterator[Claim]:
        while True:
            page = await self._retried(partial(self.payments.page, after, until, count_max=PAGE))
            for claim in page:
                yield claim
            if len(page) < PAGE:
                return
            after = page[-1].key

    async def _look(self, checked: Checked, keys: Sequence[Key], deadline: datetime) -> None:
        """Adds the faults that remain at the deadline. Faults that vanish before it were work under way."""
        for start in range(0, len(keys), LOOK_MAX):
            left = keys[start : start + LOOK_MAX]
            while left:
                faults = await self._faults(left)
                if self.clock.now() >= deadline:
                    for found in faults.values():
                        checked.add(found)
                    break
                left = list(faults)
                if left:
                    await self.clock.sleep(LOOK_EVERY_S)

    async def _faults(self, keys: Sequence[Key]) -> dict[Key, list[Fault]]:
        ordered = await self._retried(partial(self.orders.known, keys))
        paid = await self._retried(partial(self.payments.known, keys))
        return faults_of(keys, ordered, paid)

    async def _retried(self, ask: Callable[[], Awaitable[T]]) -> T:
        deadline = self.clock.now() + AWAY_MAX
        while True:
            try:
                return await ask()
            except _LATER:
                if self.clock.now() >= deadline:
                    raise
            await self.clock.sleep(LOOK_EVERY_S)


async def _each(page: Sequence[Claim]) -> AsyncIterator[Claim]:
    for claim in page:
        yield claim


def _in_words(error: BaseException) -> str:
    return error.detail if isinstance(error, Unavailable) else f"{type(error).__name__}, see the log"


class BegunAudits:
    """Runs the audits that were requested in this process, one after another."""

    def __init__(self, run_audit: Callable[[AuditRun], Awaitable[None]]) -> None:
        self._run_audit = run_audit
        self._begun: asyncio.Queue[AuditRun] = asyncio.Queue()

    def start(self, run: AuditRun) -> None:
        self._begun.put_nowait(run)

    async def run(self) -> None:
        """Never returns."""
        while True:
            run = await self._begun.get()
            try:
                await self._run_audit(run)
            except Exception:
                logger.exception("audit %d could not be saved", run.number)
