from dataclasses import dataclass

from kernel.ports.clock import Clock
from kernel.ports.unit_of_work import UnitOfWork
from orders.domain import audit_run, series
from orders.ports.audit import AuditRuns
from orders.ports.series import Series

COUNT_MAX = 1000


@dataclass
class PruneFigures:
    """Deletes steps of the series and runs of the audit that are too old to be shown."""

    uow: UnitOfWork
    series: Series
    audit_runs: AuditRuns
    clock: Clock

    async def __call__(self) -> bool:
        """Deletes a batch. Returns whether more old rows may be left."""
        now = self.clock.now()
        async with self.uow:
            steps = await self.series.prune(before=now - series.KEPT, count_max=COUNT_MAX)
            runs = await self.audit_runs.prune(before=now - audit_run.KEPT, count_max=COUNT_MAX)
        return COUNT_MAX in (steps, runs)
