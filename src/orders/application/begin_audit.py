from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kernel.domain.acts import acts_of_operators
from kernel.domain.errors import Conflict, ShopError
from kernel.ports.clock import Clock
from kernel.ports.operator_record import OperatorRecord
from kernel.ports.unit_of_work import UnitOfWork
from orders.domain.audit_run import AuditRun, BeginAudit, RunState, begin
from orders.ports.audit import AuditRuns

StartRun = Callable[[AuditRun], None]


@dataclass
class BeginAudits:
    """Begins a run of the audit for an operator. A run whose process died is ended first."""

    uow: UnitOfWork
    runs: AuditRuns
    record: OperatorRecord
    start: StartRun
    clock: Clock

    async def __call__(self, commands: Sequence[BeginAudit]) -> list[AuditRun | ShopError]:
        """Takes exactly one command. Returns the run or the Conflict. Raises Forbidden."""
        (command,) = commands
        command.caller.require_operator()
        async with self.uow:
            now = self.clock.now()
            latest = await self.runs.latest()
            try:
                run = begin(command, latest, now)
            except Conflict as conflict:
                return [conflict]
            if run is not latest:
                if latest is not None and latest.state_at(now) is RunState.DIED:
                    latest.die(now)
                    await self.runs.save(latest)
                await self.runs.add(run)
                await self.record.add(acts_of_operators("begin_audit", [(command, run.id)], now))
        self.start(run)
        return [run]
