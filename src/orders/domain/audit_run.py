"""A run of the audit. At most one runs at a time in all processes together."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from kernel.domain.caller import Caller
from kernel.domain.errors import Conflict
from kernel.domain.faults import SHOWN_MAX, Checked, Fault
from kernel.domain.value import value

# The process of a run renews the lease every 2 s. If the lease is over, the process has died.
LEASE = timedelta(seconds=15)
# How long a run is kept after its end. The latest run is always kept.
KEPT = timedelta(days=30)


class RunState(StrEnum):
    RUNNING = "running"
    SOUND = "sound"
    UNSOUND = "unsound"
    FAILED = "failed"
    """A check could not be finished."""
    DIED = "died"
    """The process ended during the run."""


@value(kw_only=True)
class BeginAudit:
    """Begins a run. The command carries the run's id, so a repeated command begins no second run."""

    run_id: UUID
    caller: Caller

    @property
    def user_id(self) -> str:
        """Empty, because the command concerns no single user."""
        return ""


@dataclass(slots=True, kw_only=True)
class AuditRun:
    number: int
    id: UUID
    operator: str
    through: str
    state: RunState = RunState.RUNNING
    detail: str = ""
    phase: str = ""
    """The current check. It has checked `done` of its `total` rows."""
    done: int = 0
    total: int = 0
    checked: list[tuple[str, int, int]] = field(default_factory=list)
    """For each finished check: its name, the number of checked rows, and the number of faults."""
    fault_count: int = 0
    faults: list[tuple[str, Fault]] = field(default_factory=list)
    """The first `SHOWN_MAX` faults, each with the name of its check."""
    began_at: datetime
    ended_at: datetime | None = None
    lease_until: datetime

    def state_at(self, now: datetime) -> RunState:
        lost = self.state is RunState.RUNNING and self.lease_until <= now
        return RunState.DIED if lost else self.state

    def enter(self, phase: str, total: int = 0) -> None:
        self.phase, self.done, self.total = phase, 0, total

    def add(self, checked: Checked) -> None:
        """Adds the result of a check. The numbers of checks with the same name are added up."""
        sums = {name: (count, faults) for name, count, faults in self.checked}
        count, faults = sums.get(checked.check, (0, 0))
        sums[checked.check] = count + checked.count, faults + checked.fault_count
        self.checked = [(name, *both) for name, both in sums.items()]
        self.fault_count += checked.fault_count
        room = max(0, SHOWN_MAX - len(self.faults))
        self.faults += [(checked.check, fault) for fault in checked.faults[:room]]

    def renew(self, now: datetime) -> None:
        self.lease_until = now + LEASE

    def end(self, now: datetime, failure: str | None = None) -> None:
        sound = RunState.UNSOUND if self.fault_count else RunState.SOUND
        self.state = sound if failure is None else RunState.FAILED
        self.detail, self.ended_at = failure or "", now

    def die(self, now: datetime) -> None:
        self.state, self.ended_at = RunState.DIED, now


def begin(command: BeginAudit, latest: AuditRun | None, now: datetime) -> AuditRun:
    """A new run, or the latest run if this command began it. Raises Conflict while another run is active."""
    if latest is not None and latest.id == command.run_id:
        return latest
    if latest is not None and latest.state_at(now) is RunState.RUNNING:
        raise Conflict("audit_running", f"audit {latest.number} runs since {latest.began_at:%H:%M:%S} UTC")
    return AuditRun(
        number=1 if latest is None else latest.number + 1,
        id=command.run_id,
        operator=command.caller.id,
        through=command.caller.service,
        began_at=now,
        lease_until=now + LEASE,
    )
