"""The audit's SQL queries on a service's outbox, and the rule by which an outbox row counts as stuck."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from kernel.adapters.postgres.audit import Row
from kernel.adapters.postgres.snapshot import Snapshot
from kernel.application.set_aside import ASIDE, is_aside
from kernel.domain.faults import IN_FLIGHT_MAX, Fault
from kernel.domain.ids import made_at

# Arguments of regexp_match that find the subjects in a row's encoded events. `escape` accepts any bytes.
_SUBJECT = """encode(event, 'escape'), '"subject":"([^"]*)"'"""
SUBJECTS = f"SELECT (regexp_matches({_SUBJECT}, 'g'))[1] AS subject FROM outbox"

_WAITING = f"""
SELECT subject FROM ({SUBJECTS}) o WHERE subject = ANY($1::text[])
UNION
SELECT subject FROM parked_messages WHERE subject = ANY($1::text[])
"""
_HEADS = "SELECT DISTINCT ON (type) type, id FROM outbox WHERE id < $1 ORDER BY type, id"
STUCK = f"""
SELECT type, id, count, (regexp_match({_SUBJECT}))[1] AS subject
FROM outbox WHERE id < $1 AND type = ANY($2::text[])
"""

COUNT_ASIDE = f"SELECT count(*) FROM outbox WHERE starts_with(type, '{ASIDE}')"

Heads = Mapping[str, UUID]

ANY_ID = UUID(int=2**128 - 1)


async def waiting(database: Snapshot, ids: Iterable[UUID]) -> set[str]:
    """Returns, as text, the ids that are the subject of an event in the outbox or of a parked message."""
    return {row["subject"] for row in await database.rows(_WAITING, list(map(str, ids)))}


def made_before(moment: datetime) -> UUID:
    """Returns a UUID greater than every UUIDv7 of an earlier millisecond, and less than every later one."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


async def heads(snapshot: Snapshot, before: UUID) -> Heads:
    """For each event type, the id of its oldest outbox row, if that id is less than `before`."""
    return {row["type"]: row["id"] for row in await snapshot.rows(_HEADS, before)}


def still_stuck(was: Heads, now: Heads, *, at_rest: bool) -> Heads:
    """Returns the event types whose oldest outbox row is the same in `was` and `now`. Other types are being
    published, because relays take the oldest rows first. Events set aside wait for their lane, which is no
    fault. If the shop is `at_rest`, with no work under way, returns all of `now`."""
    if at_rest:
        return now
    return {name: id for name, id in now.items() if was.get(name) == id and not is_aside(name)}


def stuck_fault(row: Row) -> Fault:
    others = f" and {row['count'] - 1} others" if row["count"] > 1 else ""
    found = f"waits since {made_at(row['id']):%Y-%m-%dT%H:%M:%SZ} for order {row['subject']}{others}"
    return Fault(f"message {row['type']} {row['id']}", "outbox_stuck", found, "published")


async def overdue(database: Snapshot) -> UUID:
    """Returns an id that is greater than the ids of all outbox rows that are older than IN_FLIGHT_MAX."""
    return made_before((await database.row("SELECT now()"))[0] - IN_FLIGHT_MAX)
