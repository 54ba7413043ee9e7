from sqlalchemy.dialects.postgresql import insert

from kernel.adapters.postgres.tables import PARKED
from kernel.adapters.postgres.text import storable, storable_key
from kernel.adapters.postgres.unit_of_work import PostgresUnitOfWork
from kernel.domain.events import Unhandled
from kernel.ports.clock import Clock

_INSERT = insert(PARKED)
_ADD = _INSERT.on_conflict_do_update(
    index_elements=[PARKED.c.type, PARKED.c.subject, PARKED.c.reason],
    set_={
        "count": PARKED.c.count + 1,
        "detail": _INSERT.excluded.detail,
        "payload": _INSERT.excluded.payload,
        "last_parked_at": _INSERT.excluded.last_parked_at,
    },
)


class PostgresParkedMessages:
    def __init__(self, uow: PostgresUnitOfWork, clock: Clock) -> None:
        self._uow = uow
        self._clock = clock

    async def add(self, unhandled: Unhandled) -> None:
        now = self._clock.now()
        await self._uow.connection.execute(
            _ADD,
            {
                "type": storable_key(unhandled.type),
                "subject": storable_key(unhandled.subject),
                "reason": unhandled.reason,
                "detail": storable(unhandled.detail),
                "payload": unhandled.payload,
                "count": 1,
                "first_parked_at": now,
                "last_parked_at": now,
            },
        )
