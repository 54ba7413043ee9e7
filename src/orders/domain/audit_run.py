"""A run of the audit: one at a time, over all processes."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from kernel.domain.caller import Caller
from kernel.domain.errors import Conflict
from kernel.domain.faults import SHOWN_MAX, Checked, Fault
from kernel.domain.value import value

# A run renews its lease every 2 s; one that does not has lost its process.
LEASE = timedelta(seconds=15)
# After its end; the latest one is kept for ever.
KEPT = timedelta(days=30)


class RunState(StrEnum):
    RUNNING = "running"
    SOUND = "sound"
    UNSOUND = "unsound"
    FAILED = "failed"
    """It could not look at all of it."""
    DIED = "died"
    """Its process ended in the middle."""


@value(kw_only=True)
class BeginAudit:
    """A command; it brings the id of its run, so that doing it twice is doing it once."""

    run_id: UUID
    caller: Caller

    @property
    def user_id(self) -> str:
        """Of no user: the command concerns all of them."""
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
    """What it checks now; `done` of `total` rows are checked."""
    done: int = 0
    total: int = 0
    checked: list[tuple[str, int, int]] = field(default_factory=list)
    """The name of each finished check, how many rows it has checked, and how many faults it found."""
    fault_count: int = 0
    faults: list[tuple[str, Fault]] = field(default_factory=list)
    """The first of them, each with the name of its check."""
    began_at: datetime
    ended_at: datetime | None = None
    lease_until: datetime

    def state_at(self, now: datetime) -> RunState:
        lost = self.state is RunState.RUNNING and self.lease_until <= now
        return RunState.DIED if lost else self.state

    def enter(self, phase: str, total: int = 0) -> None:
        self.phase, self.done, self.total = phase, 0, total

    def add(self, checked: Checked) -> None:
        """What is checked in both services counts as one check."""
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
    """The run; it is the latest one where that was begun by this command. Raises Conflict where one runs."""
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
