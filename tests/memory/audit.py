"""Runs of the audit, and the claims that it compares, in memory."""

import copy
from collections.abc import Sequence
from datetime import datetime

from kernel.domain.faults import Checked
from orders.domain.audit_run import AuditRun, RunState
from orders.domain.claims import Claim, KnownOrders, KnownPayments
from orders.domain.verdict import Key
from tests.memory.database import Table
from tests.memory.unit_of_work import MemoryUnitOfWork

AUDIT_RUNS = Table[AuditRun]({"number": lambda run: run.number})


class MemoryAuditRuns:
    def __init__(self, uow: MemoryUnitOfWork) -> None:
        self._uow = uow

    async def latest(self) -> AuditRun | None:
        runs = self._uow.transaction.committed(AUDIT_RUNS)
        return copy.deepcopy(max(runs, key=lambda run: run.number, default=None))

    async def add(self, run: AuditRun) -> None:
        await self._uow.transaction.insert(AUDIT_RUNS, copy.deepcopy(run))

    async def save(self, run: AuditRun) -> bool:
        found = await self._uow.transaction.lock(AUDIT_RUNS, [run.number])
        if not found or found[0].state is not RunState.RUNNING:
            return False
        await self._uow.transaction.update(AUDIT_RUNS, run.number, lambda _: copy.deepcopy(run))
        return True

    async def prune(self, *, before: datetime, count_max: int) -> int:
        runs = sorted(self._uow.transaction.unlocked(AUDIT_RUNS), key=lambda run: run.number)
        old = [run for run in runs[:-1] if run.ended_at and run.ended_at < before][:count_max]
        for run in old:
            await self._uow.transaction.delete(AUDIT_RUNS, run.number)
        return len(old)


class MemoryOwnChecks:
    def __init__(self, found: Sequence[Checked] = ()) -> None:
        self.found = found

    async def run(self) -> Sequence[Checked]:
        return self.found


class MemoryOrderClaims:
    """The claims of orders about all orders, and the facts that a second look at some orders finds."""

    def __init__(self, claims: Sequence[Claim], known: KnownOrders) -> None:
        self.claims = sorted(claims)
        self.all = known

    async def count(self) -> int:
        return len(self.claims)

    async def page(self, after: Key | None, *, settled: datetime, count_max: int) -> Sequence[Claim]:
        return [claim for claim in self.claims if after is None or claim.key > after][:count_max]

    async def known(self, keys: Sequence[Key]) -> KnownOrders:
        ids = {id for _, id in keys}
        orders = {key: order for key, order in self.all.orders.items() if key[1] in ids}
        return KnownOrders(orders, self.all.waiting, self.all.now)


class MemoryPaymentClaims:
    def __init__(self, claims: Sequence[Claim], known: KnownPayments) -> None:
        self.claims = sorted(claims)
        self.all = known
        self.found: Sequence[Checked] = ()

    async def page(self, after: Key | None, until: Key | None, *, count_max: int) -> Sequence[Claim]:
        behind = [claim for claim in self.claims if after is None or claim.key > after]
        return [claim for claim in behind if until is None or claim.key <= until][:count_max]

    async def known(self, keys: Sequence[Key]) -> KnownPayments:
        payments = {key: paid for key, paid in self.all.payments.items() if key in keys}
        return KnownPayments(payments, self.all.waiting)

    async def checked(self) -> Sequence[Checked]:
        return self.found
