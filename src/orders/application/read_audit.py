from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from kernel.application.operate import retried
from kernel.domain.caller import Caller
from kernel.ports.clock import Clock
from kernel.ports.unit_of_work import UnitOfWork
from orders.domain.audit_run import AuditRun, RunState
from orders.ports.audit import AuditRuns


@dataclass
class LatestAudit:
    """Reads the newest run in one transaction. ReadAudit calls it again if that fails for a moment."""

    uow: UnitOfWork
    runs: AuditRuns

    async def __call__(self) -> AuditRun | None:
        async with self.uow:
            return await self.runs.latest()


@dataclass
class ReadAudit:
    """The newest run of the audit, also when another process runs it."""

    latest: Callable[[], Awaitable[AuditRun | None]]
    clock: Clock

    async def __call__(self, caller: Caller) -> tuple[AuditRun, RunState] | None:
        """The run and its current state; None if no run was ever begun. Raises Forbidden."""
        caller.require_to_see_all()
        run = await retried(self.latest, self.clock)
        return None if run is None else (run, run.state_at(self.clock.now()))
