from datetime import datetime
from uuid import UUID

from kernel.domain.facts import Fact, Part, What
from kernel.domain.ids import made_at
from tests.memory.database import MemoryDatabase
from tests.memory.operator_record import OPERATOR_RECORD
from tests.memory.outbox import OUTBOX
from tests.memory.parked import DISCARDED, PARKED
from tests.memory.pauses import PAUSED


class MemoryMessagingFacts:
    """Facts read from the tables in memory. There are no database sessions to report."""

    def __init__(self, database: MemoryDatabase, service: str) -> None:
        self._database = database
        self._service = service

    async def about(self, subject: UUID) -> Part:
        facts = [
            self._fact(made_at(row.id), What.IN_OUTBOX, "outbox", row.type)
            for row in sorted(self._database.rows(OUTBOX), key=lambda row: row.id)
            if str(subject).encode() in row.events
        ]
        for parked in self._database.rows(PARKED):
            event = parked.unhandled
            if event.subject == str(subject):
                detail = f"message {parked.id}, {event.type}: {event.reason}: {event.detail}"
                facts.append(self._fact(parked.last_parked_at, What.PARKED, "parked_messages", detail))
        for one in self._database.rows(DISCARDED):
            event = one.parked.unhandled
            if event.subject == str(subject):
                detail = ": ".join(filter(None, (event.type, event.reason, f"by {one.by}", one.note)))
                facts.append(self._fact(one.at, What.DISCARDED, "discarded_messages", detail))
        for act in self._database.rows(OPERATOR_RECORD):
            if act.subject == subject:
                detail = ": ".join(filter(None, (f"{act.did} by {act.operator}", act.note)))
                facts.append(self._fact(act.at, What.ACT, "operator_record", detail))
        if paused := self._database.get(PAUSED, self._service):
            pause = paused.pause
            said = ": ".join(filter(None, (f"by {pause.by}", pause.note)))
            facts.append(self._fact(pause.since, What.PAUSED, "paused_consumers", said))
        return Part(facts=facts)

    def _fact(self, at: datetime, what: What, source: str, detail: str) -> Fact:
        return Fact(at=at, service=self._service, what=what, source=source, detail=detail)
