from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from functools import partial
from operator import attrgetter
from typing import Generic, TypeVar
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, all_, any_, bindparam, delete, exists, func, select

from kernel.adapters.postgres.messages.oldest import oldest_but
from kernel.adapters.postgres.statements.unit_of_work import PostgresUnitOfWork
from kernel.adapters.postgres.statements.unnest import arrays, insert_arrays
from kernel.adapters.postgres.tables import OUTBOX
from kernel.application.envelopes import Encode, pack
from kernel.domain.ids import first_id, made_at
from kernel.ports.clock import Clock
from kernel.ports.outbox import OutboxRow

E = TypeVar("E")

_COLUMNS = tuple(OUTBOX.c)
_row = attrgetter("type", "id", "events", "count")
_ADD = insert_arrays(OUTBOX)
_OF_TYPE = OUTBOX.c.type == bindparam("event_type")
_OLDEST = (
    select(OUTBOX.c.id)
    .where(_OF_TYPE, OUTBOX.c.id < bindparam("before"))
    .order_by(OUTBOX.c.id)
    .limit(bindparam("count_max"))
)
_FREE_IDS = func.array(_OLDEST.with_for_update(skip_locked=True).scalar_subquery())
_TAKEN = delete(OUTBOX).where(_OF_TYPE, OUTBOX.c.id == any_(_FREE_IDS)).returning(*_COLUMNS).cte("taken")
_TAKE = select(_TAKEN).order_by(_TAKEN.c.id)
_REMOVE = delete(OUTBOX).where(_OF_TYPE, OUTBOX.c.id == any_(bindparam("ids", type_=ARRAY(Uuid))))
_OTHERS = _OLDEST.with_only_columns(*_COLUMNS).where(OUTBOX.c.id != all_(bindparam("but", type_=ARRAY(Uuid))))
_types = func.unnest(bindparam("event_types", type_=ARRAY(Text))).column_valued("given")
_WAITING_TYPES = select(_types).where(exists().where(OUTBOX.c.type == _types))
_END = UUID(int=2**128 - 1)
_FIRST = oldest_but()


class PostgresOutbox(Generic[E]):
    """One row holds all events of one type from one transaction. One row per event would cost much more."""

    def __init__(
        self, uow: PostgresUnitOfWork, clock: Clock, encode: Encode[E], committed: Callable[[OutboxRow], None]
    ) -> None:
        """`committed` is called with each added row after the commit."""
        self._uow = uow
        self._clock = clock
        self._encode = encode
        self._committed = committed

    async def add(self, events: Sequence[E]) -> None:
        if not events:
            return
        rows = pack(events, self._encode, self._clock)
        await self._uow.transaction.write(_ADD, arrays(_COLUMNS, map(_row, rows)))
        for row in rows:
            self._uow.after_commit(partial(self._committed, row))


class PostgresBacklog:
    def __init__(self, uow: PostgresUnitOfWork) -> None:
        self._uow = uow

    async def take(
        self, event_type: str, *, count_max: int, before: datetime | None = None
    ) -> Sequence[OutboxRow]:
        end = first_id(before) if before else _END
        wanted = {"event_type": event_type, "count_max": count_max, "before": end}
        transaction = self._uow.transaction
        # A relay polls, and mostly finds no row. Without a row, there is no need for BEGIN and COMMIT.
        if not await transaction.look(_OLDEST, {**wanted, "count_max": 1}):
            return []
        return [OutboxRow(*row) for row in await transaction.execute(_TAKE, wanted)]

    async def waiting(
        self, event_type: str, *, count_max: int, before: datetime, but: Collection[UUID]
    ) -> Sequence[OutboxRow]:
        wanted = {"event_type": event_type, "count_max": count_max, "before": first_id(before)}
        rows = await self._uow.transaction.look(_OTHERS, {**wanted, "but": list(but)})
        return [OutboxRow(*row) for row in rows]

    async def types_waiting(self, event_types: Sequence[str]) -> Sequence[str]:
        rows = await self._uow.transaction.look(_WAITING_TYPES, {"event_types": event_types})
        return [row["given"] for row in rows]

    async def remove(self, event_type: str, ids: Sequence[UUID]) -> None:
        await self._uow.transaction.write(_REMOVE, {"event_type": event_type, "ids": ids})

    async def waiting_since(self) -> datetime | None:
        oldest = await self._uow.transaction.look(_FIRST)
        return made_at(oldest[0]["id"]) if oldest else None
