from uuid import UUID

from sqlalchemy import Text, bindparam, delete, literal_column, select
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.messages.oldest import oldest_but
from kernel.adapters.postgres.messages.text import storable
from kernel.adapters.postgres.statements.reading import read
from kernel.adapters.postgres.statements.unit_of_work import PostgresUnitOfWork
from kernel.adapters.postgres.statements.unnest import arrays, insert_arrays
from kernel.adapters.postgres.tables import PAUSED
from kernel.application.replay import LETTERS, REPLAYED
from kernel.domain.ids import made_at
from kernel.domain.parked import OwnName
from kernel.domain.pauses import Pause
from kernel.ports.pauses import Standing

_COLUMNS = tuple(PAUSED.c)
_BEGIN = (
    insert_arrays(PAUSED)
    .on_conflict_do_nothing(index_elements=[PAUSED.c.consumer])
    .returning(PAUSED.c.consumer)
)
_OWN = PAUSED.c.consumer == bindparam("consumer", type_=Text)
_END = delete(PAUSED).where(_OWN).returning(PAUSED.c.consumer)
# Replayed messages are left out, because they go to the service's own consumer.
_OLDEST = select(oldest_but(REPLAYED, LETTERS).subquery().c.id).scalar_subquery()
_ALWAYS = select(literal_column("1").label("one")).subquery("always")
_STANDING = select(
    _OLDEST.label("oldest"), PAUSED.c.paused_by, PAUSED.c.note, PAUSED.c.paused_at
).select_from(_ALWAYS.outerjoin(PAUSED, _OWN))


class PostgresPauses:
    def __init__(self, uow: PostgresUnitOfWork, consumer: OwnName) -> None:
        self._uow = uow
        self._consumer = consumer

    async def begin(self, pause: Pause) -> bool:
        rows = sorted([(self._consumer, storable(pause.by), storable(pause.note), pause.since)])
        return bool(await self._uow.transaction.execute(_BEGIN, arrays(_COLUMNS, rows)))

    async def end(self) -> bool:
        return bool(await self._uow.transaction.execute(_END, {"consumer": self._consumer}))


class PostgresStandingReading:
    def __init__(self, engine: AsyncEngine, consumer: OwnName) -> None:
        self._engine = engine
        self._consumer = consumer

    async def standing(self) -> Standing:
        (row,) = await read(self._engine, _STANDING, {"consumer": self._consumer})
        oldest: UUID | None = row["oldest"]
        pause = Pause(by=row["paused_by"], note=row["note"], since=row["paused_at"])
        return Standing(made_at(oldest) if oldest else None, pause if row["paused_at"] else None)
