from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from asyncpg import Record
from sqlalchemy import Column, any_, bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Uuid

from kernel.adapters.cloudevents import message_of
from kernel.adapters.postgres.messages.text import storable, storable_key
from kernel.adapters.postgres.statements.unit_of_work import PostgresUnitOfWork
from kernel.adapters.postgres.statements.unnest import arrays, insert_arrays
from kernel.adapters.postgres.tables import DISCARDED, PARKED
from kernel.domain.events import Parked, Unhandled, joined
from kernel.ports.clock import Clock

_PARKED = tuple(PARKED.c)
_INSERT = insert_arrays(PARKED)
_ADD = _INSERT.on_conflict_do_update(
    index_elements=[PARKED.c.type, PARKED.c.subject, PARKED.c.reason],
    set_={
        "count": PARKED.c.count + _INSERT.excluded.count,
        "detail": _INSERT.excluded.detail,
        "payload": _INSERT.excluded.payload,
        "dead_letter": _INSERT.excluded.dead_letter,
        "last_parked_at": _INSERT.excluded.last_parked_at,
    },
)
# Locks the rows in the order of the key, as `_ADD` does, so that two transactions cannot deadlock.
_STILL_PARKED = (
    select(PARKED)
    .where(PARKED.c.id == any_(bindparam("ids", type_=ARRAY(Uuid))))
    .order_by(PARKED.c.type, PARKED.c.subject, PARKED.c.reason)
    .with_for_update()
)
_IDS = func.array(_STILL_PARKED.with_only_columns(PARKED.c.id).scalar_subquery())
_TAKE = delete(PARKED).where(PARKED.c.id == any_(_IDS)).returning(PARKED)

_DISCARDED = tuple(DISCARDED.c)
_DISCARD = insert_arrays(DISCARDED)


class PostgresParkedMessages:
    def __init__(self, uow: PostgresUnitOfWork, clock: Clock) -> None:
        self._uow = uow
        self._clock = clock

    async def add(self, unhandled: Sequence[Unhandled]) -> None:
        if unhandled:
            rows = map(_row, joined(unhandled, self._clock.new_id, self._clock.now()))
            await self._uow.transaction.execute(_ADD, _arrays(_PARKED, rows))

    async def lock(self, ids: Sequence[UUID]) -> Sequence[Parked]:
        return _in_order(await self._uow.transaction.execute(_STILL_PARKED, {"ids": list(ids)}))

    async def take(self, ids: Sequence[UUID]) -> Sequence[Parked]:
        return _in_order(await self._uow.transaction.execute(_TAKE, {"ids": list(ids)}))


class PostgresDiscardedMessages:
    def __init__(self, uow: PostgresUnitOfWork, clock: Clock) -> None:
        self._uow = uow
        self._clock = clock

    async def add(self, discarded: Sequence[Parked], *, by: str, note: str) -> None:
        record = {"discarded_at": self._clock.now(), "discarded_by": storable(by), "note": storable(note)}
        rows = (_row(parked) | record | {"id": self._clock.new_id()} for parked in discarded)
        await self._uow.transaction.execute(_DISCARD, _arrays(_DISCARDED, rows))


def _arrays(columns: Sequence[Column[Any]], rows: Iterable[dict[str, Any]]) -> dict[str, list[Any]]:
    return arrays(columns, ([row[c.name] for c in columns] for row in rows))


def _row(parked: Parked) -> dict[str, Any]:
    return {
        "id": parked.id,
        "type": storable_key(parked.unhandled.type),
        "subject": storable_key(parked.unhandled.subject),
        "reason": parked.unhandled.reason,
        "detail": storable(parked.unhandled.detail),
        "payload": parked.unhandled.payload,
        "count": parked.count,
        "first_parked_at": parked.first_parked_at,
        "last_parked_at": parked.last_parked_at,
        "dead_letter": parked.unhandled.dead_letter,
    }


def _in_order(rows: Iterable[Record]) -> list[Parked]:
    return sorted(map(_parked, rows), key=lambda parked: parked.id)


def _parked(row: Record) -> Parked:
    payload: bytes = row["payload"]
    unhandled = Unhandled(
        message_of(payload),
        row["type"],
        row["subject"],
        row["reason"],
        row["detail"],
        payload,
        dead_letter=row["dead_letter"],
    )
    return Parked(row["id"], unhandled, row["count"], row["first_parked_at"], row["last_parked_at"])
