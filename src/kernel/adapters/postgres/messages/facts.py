"""What the tables of messaging, and the server itself, tell of one subject."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.statements.reading import read
from kernel.domain.facts import Fact, What
from kernel.domain.ids import made_at

# A row holds many events as JSON. An outbox is short, or somebody looks at it because it is not.
_IN_OUTBOX = text(
    "SELECT type, id FROM outbox WHERE position(convert_to(:subject, 'UTF8') IN event) > 0 ORDER BY id"
)
_PARKED = text("SELECT type, reason, detail, last_parked_at FROM parked_messages WHERE subject = :subject")
_ACTS = text("SELECT did, operator, note, at FROM operator_record WHERE subject = CAST(:subject AS uuid)")
_PAUSED = text("SELECT paused_by, note, paused_at FROM paused_consumers WHERE consumer = :service")
# Services keep connections under the name `shop` (kernel/adapters/postgres/connections/engine.py). One
# without any name may be a service behind a pooler.
_SESSIONS = text("""
SELECT now() AS at,
    count(*) FILTER (WHERE pid <> pg_backend_pid() AND application_name IN ('shop', '')) AS running,
    min(query_start) FILTER (WHERE wait_event_type = 'Lock' AND application_name = 'shop') AS blocked_since,
    max(array_to_string(pg_blocking_pids(pid), ', '))
        FILTER (WHERE wait_event_type = 'Lock' AND application_name = 'shop') AS blockers
FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend'
""")


class PostgresMessagingFacts:
    def __init__(self, engine: AsyncEngine, service: str, *, running: bool = True) -> None:
        """`running`: a process of the service asks, so that one runs."""
        self._engine = engine
        self._service = service
        self._running = running

    async def about(self, subject: UUID) -> Sequence[Fact]:
        named = {"subject": str(subject)}
        facts = [
            self._fact(made_at(row["id"]), What.IN_OUTBOX, "outbox", row["type"])
            for row in await read(self._engine, _IN_OUTBOX, named)
        ]
        for row in await read(self._engine, _PARKED, named):
            detail = f"{row['type']}: {row['reason']}: {row['detail']}"
            facts.append(self._fact(row["last_parked_at"], What.PARKED, "parked_messages", detail))
        for row in await read(self._engine, _ACTS, named):
            detail = ": ".join(filter(None, (f"{row['did']} by {row['operator']}", row["note"])))
            facts.append(self._fact(row["at"], What.ACT, "operator_record", detail))
        for row in await read(self._engine, _PAUSED, {"service": self._service}):
            detail = ": ".join(filter(None, (f"by {row['paused_by']}", row["note"])))
            facts.append(self._fact(row["paused_at"], What.PAUSED, "paused_consumers", detail))
        (sessions,) = await read(self._engine, _SESSIONS)
        return [*facts, *self._of_sessions(sessions)]

    def _of_sessions(self, row: Any) -> Iterator[Fact]:
        if not (self._running or row["running"]):
            yield self._fact(row["at"], What.NOT_RUNNING, "pg_stat_activity")
        if row["blocked_since"] is not None:
            detail = f"by the session {row['blockers']}"
            yield self._fact(row["blocked_since"], What.BLOCKED, "pg_stat_activity", detail)

    def _fact(self, at: Any, what: What, source: str, detail: str = "") -> Fact:
        return Fact(at=at, service=self._service, what=what, source=source, detail=detail)
