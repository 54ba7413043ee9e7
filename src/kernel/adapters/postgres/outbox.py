from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Generic, TypeVar
from uuid import UUID

from sqlalchemy import any_, bindparam, delete, func, insert, select

from kernel.adapters.postgres.tables import OUTBOX
from kernel.adapters.postgres.unit_of_work import PostgresUnitOfWork
from kernel.adapters.postgres.unnest import arrays, unnest
from kernel.domain.ids import made_at
from kernel.ports.clock import Clock

E = TypeVar("E")

# Type and CloudEvent of a domain event, given the id and the time of the message.
Encode = Callable[[E, UUID, datetime], tuple[str, bytes]]

_COLUMNS = (OUTBOX.c.type, OUTBOX.c.id, OUTBOX.c.event)
_ADD = insert(OUTBOX).from_select([c.name for c in _COLUMNS], select(unnest(*_COLUMNS)))
_OLDEST = (
    select(OUTBOX.c.id)
    .where(OUTBOX.c.type == bindparam("event_type"))
    .order_by(OUTBOX.c.id)
    .limit(bindparam("count_max"))
    .with_for_update(skip_locked=True)
    .scalar_subquery()
)
_TAKEN = (
    delete(OUTBOX)
    .where(OUTBOX.c.type == bindparam("event_type"), OUTBOX.c.id == any_(func.array(_OLDEST)))
    .returning(OUTBOX.c.id, OUTBOX.c.event)
    .cte("taken")
)
_TAKE = select(_TAKEN.c.event).order_by(_TAKEN.c.id)
_FIRST = select(OUTBOX.c.id).order_by(OUTBOX.c.id).limit(1)


class PostgresOutbox(Generic[E]):
    """Rows are the encoded events, so that the relay only joins bytes."""

    def __init__(
        self, uow: PostgresUnitOfWork, clock: Clock, encode: Encode[E], wake: Callable[[str], None]
    ) -> None:
        self._uow = uow
        self._clock = clock
        self._encode = encode
        self._wake = wake

    async def add(self, events: Sequence[E]) -> None:
        if not events:
            return
        now = self._clock.now()
        rows = []
        for event in events:
            event_id = self._clock.new_id()
            event_type, body = self._encode(event, event_id, now)
            rows.append((event_type, event_id, body))
        await self._uow.connection.write(_ADD, arrays(_COLUMNS, sorted(rows)))
        for event_type in {row[0] for row in rows}:
            self._uow.after_commit(partial(self._wake, event_type))


class PostgresBacklog:
    def __init__(self, uow: PostgresUnitOfWork) -> None:
        self._uow = uow

    async def take(self, event_type: str, *, count_max: int) -> Sequence[bytes]:
        taken = await self._uow.connection.execute(_TAKE, {"event_type": event_type, "count_max": count_max})
        return [event for (event,) in taken]

    async def waiting_since(self) -> datetime | None:
        oldest = await self._uow.connection.execute(_FIRST)
        return made_at(oldest[0]["id"]) if oldest else None
