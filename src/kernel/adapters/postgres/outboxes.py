"""What waits to be published, in the database of any service."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from kernel.adapters.postgres.audit import Row
from kernel.adapters.postgres.snapshot import Snapshot
from kernel.domain.faults import IN_FLIGHT_MAX, Fault
from kernel.domain.ids import made_at

# Of the encoded events in a row; whatever their bytes, this does not fail.
_SUBJECT = """encode(event, 'escape'), '"subject":"([^"]*)"'"""
SUBJECTS = f"SELECT (regexp_matches({_SUBJECT}, 'g'))[1] AS subject FROM outbox"

WAITING = f"""
SELECT subject FROM ({SUBJECTS}) o WHERE subject = ANY($1::text[])
UNION
SELECT subject FROM parked_messages WHERE subject = ANY($1::text[])
"""
_HEADS = "SELECT DISTINCT ON (type) type, id FROM outbox WHERE id < $1 ORDER BY type, id"
STUCK = f"""
SELECT type, id, count, (regexp_match({_SUBJECT}))[1] AS subject
FROM outbox WHERE id < $1 AND type = ANY($2::text[])
"""

Heads = Mapping[str, UUID]

ANY_ID = UUID(int=2**128 - 1)


def made_before(moment: datetime) -> UUID:
    """Greater than each UUIDv7 of an earlier millisecond, and not greater than those made since."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


async def heads(snapshot: Snapshot, before: UUID) -> Heads:
    """The oldest row of each type that is older than `before`."""
    return {row["type"]: row["id"] for row in await snapshot.rows(_HEADS, before)}


def still_stuck(was: Heads, now: Heads, *, at_rest: bool) -> Heads:
    """Types whose oldest row has not moved: relays take the oldest first, so the others are being drained."""
    return now if at_rest else {name: id for name, id in now.items() if was.get(name) == id}


def stuck_fault(row: Row) -> Fault:
    others = f" and {row['count'] - 1} others" if row["count"] > 1 else ""
    found = f"waits since {made_at(row['id']):%Y-%m-%dT%H:%M:%SZ} for order {row['subject']}{others}"
    return Fault(f"message {row['type']} {row['id']}", "outbox_stuck", found, "published")


async def overdue(database: Snapshot) -> UUID:
    """Greater than the ids of rows that may not wait any more."""
    return made_before((await database.row("SELECT now()"))[0] - IN_FLIGHT_MAX)
