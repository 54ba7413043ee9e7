from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, FromClause, and_, bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from kernel.adapters.postgres.messages.text import storable_key
from kernel.adapters.postgres.statements.unit_of_work import PostgresUnitOfWork
from kernel.adapters.postgres.statements.unnest import arrays, unnest
from kernel.adapters.postgres.tables import INBOX
from kernel.domain.events import Event, MessageId, Received
from kernel.ports.clock import Clock

E = TypeVar("E", bound=Event)
MessageKey = tuple[str, str]


def _same_key_as(keys: FromClause) -> ColumnElement[bool]:
    return and_(INBOX.c.source == keys.c.source, INBOX.c.event_id == keys.c.event_id)


_KEYS = (INBOX.c.source, INBOX.c.event_id)
_given = unnest(*_KEYS)
_INSERT = insert(INBOX).from_select(
    ["source", "event_id", "received_at"],
    select(*_given.c, bindparam("received_at", type_=INBOX.c.received_at.type)),
)
_KNOWN = select(*_KEYS).join_from(INBOX, _given, _same_key_as(_given))
_INSERT_FRESH = _INSERT.on_conflict_do_nothing().returning(*_KEYS)
_OLD = (
    select(*_KEYS)
    .where(INBOX.c.received_at < bindparam("before"))
    .order_by(INBOX.c.received_at)
    .limit(bindparam("count_max"))
    .with_for_update(skip_locked=True)
    .cte("old")
)
_PRUNE = delete(INBOX).where(_same_key_as(_OLD)).returning(INBOX.c.event_id)
_CLAIMED = _KNOWN.order_by(*_KEYS).with_for_update(of=INBOX).cte("claimed")
_FORGET = delete(INBOX).where(_same_key_as(_CLAIMED))


class PostgresInbox:
    def __init__(self, uow: PostgresUnitOfWork, clock: Clock) -> None:
        self._uow = uow
        self._clock = clock

    async def claim(self, received: Sequence[Received[E]]) -> Sequence[Received[E]]:
        fresh: dict[MessageKey, Received[E]] = {}
        for item in received:
            fresh.setdefault(_key(item.message), item)
        if any(item.again for item in received):
            known = await self._uow.transaction.execute(_KNOWN, arrays(_KEYS, sorted(fresh)))
            for key in known:
                del fresh[tuple(key)]
        if fresh:
            await self._uow.transaction.write(_INSERT, self._claims(fresh))
        return list(fresh.values())

    async def claim_message(self, message: MessageId) -> bool:
        return bool(await self._uow.transaction.execute(_INSERT_FRESH, self._claims([_key(message)])))

    async def forget(self, messages: Sequence[MessageId]) -> None:
        keys = {_key(message) for message in messages}
        await self._uow.transaction.execute(_FORGET, arrays(_KEYS, sorted(keys)))

    async def prune(self, *, before: datetime, count_max: int) -> int:
        pruned = await self._uow.transaction.execute(_PRUNE, {"before": before, "count_max": count_max})
        return len(pruned)

    def _claims(self, keys: Iterable[MessageKey]) -> Mapping[str, Any]:
        return arrays(_KEYS, sorted(keys)) | {"received_at": self._clock.now()}


def _key(message: MessageId) -> MessageKey:
    return storable_key(message.source), storable_key(message.id)
