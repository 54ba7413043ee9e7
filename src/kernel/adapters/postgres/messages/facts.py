"""Reads the facts about one subject from the messaging tables and from the server's own views."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, cast, func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.messages.holders import Holders
from kernel.adapters.postgres.messages.oldest import oldest_but
from kernel.adapters.postgres.statements.reading import read
from kernel.adapters.postgres.tables import DISCARDED, INBOX, OPERATOR_RECORD, OUTBOX, PARKED, PAUSED, Schema
from kernel.application.read_apart import read_apart
from kernel.application.relay import LEFT_BEHIND_AFTER
from kernel.domain.facts import Fact, Part, What
from kernel.domain.ids import made_at

# An outbox row holds many events as JSON, so this scans the table. It is short, unless events are stuck.
_SUBJECT = bindparam("subject", type_=Text)
_BYTES = func.convert_to(_SUBJECT, "UTF8")
_IN_OUTBOX = (
    select(OUTBOX.c.type, OUTBOX.c.id)
    .where(func.position(_BYTES.op("IN")(OUTBOX.c.event)) > 0)
    .order_by(OUTBOX.c.id)
)
_OLDEST = oldest_but().add_columns(func.now().label("at"))
_PARKED = select(PARKED.c.id, PARKED.c.type, PARKED.c.reason, PARKED.c.detail, PARKED.c.last_parked_at).where(
    PARKED.c.subject == _SUBJECT
)
_DISCARDED = select(
    *(DISCARDED.c[name] for name in ("type", "reason", "discarded_by", "note", "discarded_at"))
).where(DISCARDED.c.subject == _SUBJECT)
_ACTS = select(OPERATOR_RECORD).where(OPERATOR_RECORD.c.subject == cast(_SUBJECT, Uuid))
_PAUSED = select(PAUSED).where(PAUSED.c.consumer == bindparam("service", type_=Text))
# Every role may see the names of sessions (pg_stat_get_activity). Sessions of the server have no user.
_SESSIONS = text("""
SELECT now() AS at, count(*) FILTER (WHERE application_name = :name) AS running,
    count(*) FILTER (WHERE application_name = '') AS nameless,
    string_agg(DISTINCT usename, ', ') FILTER (WHERE application_name = '') AS users
FROM pg_stat_activity
WHERE datname = current_database() AND usesysid IS NOT NULL AND pid <> pg_backend_pid()
""")


class PostgresMessagingFacts:
    def __init__(
        self,
        engine: AsyncEngine,
        schema: Schema,
        session_name: str | None = None,
        *,
        first: AsyncEngine | None = None,
    ) -> None:
        """`session_name` is the application_name of the service's sessions; None if `engine` belongs to the
        service itself, which then certainly runs. If the service has several lanes, `first` is the engine of
        the first lane, which stores the pauses."""
        self._engine = engine
        self._first = first or engine
        self._service = schema.service
        self._session_name = session_name
        tables = [table.name for table in (*schema.tables, OUTBOX, INBOX)]
        self._holders = Holders(engine, tables, session_name)

    async def about(self, subject: UUID) -> Part:
        """Returns the facts about the subject. Reads each table separately, because a table may be locked."""
        named = {"subject": str(subject)}
        return await read_apart(
            pg_stat_activity=self._sessions(),
            pg_locks=self._blocks(),
            outbox=self._outbox(named),
            parked_messages=self._parked(named),
            discarded_messages=self._discarded(named),
            operator_record=self._acts(named),
            paused_consumers=self._paused(),
        )

    async def _outbox(self, named: dict[str, str]) -> Part:
        oldest = await read(self._engine, _OLDEST)
        backlog = [row for row in oldest if row["at"] - made_at(row["id"]) > LEFT_BEHIND_AFTER]
        rows = await read(self._engine, _IN_OUTBOX, named)
        return Part(
            facts=[
                self._fact(made_at(row["id"]), what, "outbox", row["type"])
                for what, found in ((What.BACKLOG, backlog), (What.IN_OUTBOX, rows))
                for row in found
            ]
        )

    async def _parked(self, named: dict[str, str]) -> Part:
        facts = []
        for row in await read(self._engine, _PARKED, named):
            detail = f"message {row['id']}, {row['type']}: {row['reason']}: {row['detail']}"
            facts.append(self._fact(row["last_parked_at"], What.PARKED, "parked_messages", detail))
        return Part(facts=facts)

    async def _discarded(self, named: dict[str, str]) -> Part:
        facts = []
        for row in await read(self._engine, _DISCARDED, named):
            detail = _said(f"{row['type']}: {row['reason']}: by {row['discarded_by']}", row)
            facts.append(self._fact(row["discarded_at"], What.DISCARDED, "discarded_messages", detail))
        return Part(facts=facts)

    async def _acts(self, named: dict[str, str]) -> Part:
        facts = []
        for row in await read(self._engine, _ACTS, named):
            detail = _said(f"{row['did']} by {row['operator']}", row)
            facts.append(self._fact(row["at"], What.ACT, "operator_record", detail))
        return Part(facts=facts)

    async def _paused(self) -> Part:
        facts = []
        for row in await read(self._first, _PAUSED, {"service": self._service}):
            detail = _said(f"by {row['paused_by']}", row)
            facts.append(self._fact(row["paused_at"], What.PAUSED, "paused_consumers", detail))
        return Part(facts=facts)

    async def _sessions(self) -> Part:
        if self._session_name is None:
            return Part()
        (row,) = await read(self._engine, _SESSIONS, {"name": self._session_name})
        return Part(facts=list(self._of_sessions(row)))

    def _of_sessions(self, row: Any) -> Iterator[Fact]:
        if row["running"]:
            return
        detail = f"no session has the name {self._session_name}"
        if row["nameless"]:
            detail += f", but {row['nameless']} without a name may belong to it (of {row['users']})"
        what = What.NAMELESS if row["nameless"] else What.NOT_RUNNING
        yield self._fact(row["at"], what, "pg_stat_activity", detail, seen=True)

    async def _blocks(self) -> Part:
        facts = []
        for one in await self._holders.find():
            at, seen = one.since or one.at, one.since is None
            facts.append(self._fact(at, What.BLOCKED, "pg_locks", str(one), seen=seen))
        return Part(facts=facts)

    def _fact(self, at: Any, what: What, source: str, detail: str = "", *, seen: bool = False) -> Fact:
        return Fact(at=at, service=self._service, what=what, source=source, detail=detail, seen=seen)


def _said(who: str, row: Any) -> str:
    return ": ".join(filter(None, (who, row["note"])))
