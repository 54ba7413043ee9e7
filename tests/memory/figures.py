from collections import Counter
from collections.abc import Mapping, Sequence

from kernel.domain.ids import made_at
from kernel.domain.overview import WaitingEvents
from tests.memory.database import MemoryDatabase
from tests.memory.operations import HELD, cause_of
from tests.memory.outbox import OUTBOX
from tests.memory.parked import PARKED


class MemoryMessagingFigures:
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

    async def parked(self) -> tuple[Mapping[str, int], Mapping[str, int]]:
        looked_after = {held.cause for held in self._database.rows(HELD)}
        rows = self._database.rows(PARKED)
        waiting = Counter(row.unhandled.reason for row in rows if cause_of(row) not in looked_after)
        held = Counter(row.unhandled.reason for row in rows if cause_of(row) in looked_after)
        return waiting, held

    async def revision(self) -> int:
        """The revision of a database that no migration made."""
        return 0
