from collections.abc import Mapping, Sequence

from kernel.domain.ids import made_at
from kernel.domain.overview import WaitingEvents
from kernel.domain.parked import Cause
from tests.memory.database import MemoryDatabase
from tests.memory.operations import HELD, cause_of
from tests.memory.outbox import OUTBOX
from tests.memory.parked import PARKED


class MemoryFigures:
    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def waiting(self) -> Sequence[WaitingEvents]:
        rows = self._database.rows(OUTBOX)
        found = []
        for name in sorted({row.type for row in rows}):
            own = [row for row in rows if row.type == name]
            since = made_at(min(row.id for row in own))
            found.append(WaitingEvents(name, sum(row.count for row in own), since))
        return found

    async def parked(self) -> Mapping[str, int]:
        held = self._held()
        rows = [row for row in self._database.rows(PARKED) if cause_of(row) not in held]
        reasons = [row.unhandled.reason for row in rows]
        return {reason: reasons.count(reason) for reason in reasons}

    async def held(self) -> int:
        held = self._held()
        return sum(cause_of(row) in held for row in self._database.rows(PARKED))

    def _held(self) -> set[Cause]:
        return {held.cause for held in self._database.rows(HELD)}

    async def revision(self) -> int:
        """Of a database that no migration made."""
        return 0
