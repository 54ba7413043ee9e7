import json
from typing import Any

from tests.memory.database import MemoryDatabase
from tests.memory.outbox import OUTBOX


def waiting_in(database: MemoryDatabase) -> list[dict[str, Any]]:
    """The events in an outbox, in the order in which they were made."""
    events = [event for row in database.rows(OUTBOX) for event in json.loads(b"[%s]" % row.events)]
    return sorted(events, key=lambda event: str(event["id"]))
