"""The figures of a proof, and the promises that it found broken."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.chaos.engine import Chaos
from tests.chaos.history import Outcome
from tests.chaos.losing import Lost
from tests.chaos.simulating import Simulated
from tests.chaos.switching import Switched


@dataclass
class Facts:
    seed: int
    logs: str
    simulated: Simulated = field(default_factory=Simulated)
    faults: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    deposits: int = 0
    poison: int = 0
    hostile: int = 0
    strangers: int = 0
    lost: int = 0
    doubled: int = 0
    decided_within_s: float = 0.0
    switched: Switched = field(default_factory=Switched)
    servers: Lost = field(default_factory=Lost)
    broken: list[str] = field(default_factory=list)

    def add_simulated(self, simulated: Simulated) -> None:
        self.simulated = simulated
        self.broken += simulated.broken

    def add_chaos(self, chaos: Chaos) -> None:
        history = chaos.history
        self.faults += chaos.faults
        self.outcomes += history.outcomes
        self.deposits += len(history.deposits)
        self.poison += len(chaos.poisoner.sent)
        self.hostile += chaos.hostile.acts
        self.strangers += chaos.stranger.refused
        self.lost += history.lost
        self.doubled += history.doubled
        self.decided_within_s = max(self.decided_within_s, chaos.decided_within_s)
        self.broken += history.violations

    def add_switched(self, switched: Switched) -> None:
        self.switched = switched
        self.broken += switched.broken

    def add_lost(self, servers: Lost) -> None:
        self.servers = servers
        self.broken += servers.broken

    def as_json(self) -> dict[str, object]:
        return dict(self.rows()) | {"by kind": self.faults, "broken": self.broken}

    def rows(self) -> Iterator[tuple[str, object]]:
        yield "schedules", self.simulated.schedules
        yield "faults in them", self.simulated.faults
        yield "faults", self.faults.total()
        yield "kinds", len(self.faults)
        yield "poison", self.poison
        yield "hostile connections", self.hostile
        yield "strangers refused", self.strangers
        yield "orders", self.outcomes.total()
        for outcome in Outcome:
            yield outcome.value, self.outcomes[outcome]
        yield "deposits", self.deposits
        yield "lost", self.lost
        yield "doubled", self.doubled
        yield "broken promises", len(self.broken)
        yield "decided within", f"{self.decided_within_s:.1f} s"
        yield "switchovers", self.switched.switchovers
        yield "longest without service", f"{self.switched.longest_s:.1f} s"
        yield "servers of lanes lost", self.servers.times
        yield "longest for users of others", f"{self.servers.longest_s:.1f} s"
        yield "seed", self.seed
