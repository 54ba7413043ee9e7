from dataclasses import dataclass

from kernel.application.replay import LETTERS, REPLAYED
from kernel.application.set_aside import ASIDE
from kernel.domain.ids import made_at
from kernel.domain.parked import OwnName
from kernel.domain.pauses import Pause
from kernel.ports.pauses import Standing
from tests.memory.database import MemoryDatabase, Table
from tests.memory.outbox import OUTBOX
from tests.memory.unit_of_work import MemoryUnitOfWork


@dataclass(frozen=True, slots=True)
class Paused:
    consumer: str
    pause: Pause


PAUSED = Table[Paused]({"consumer": lambda paused: paused.consumer})


def is_published(event_type: str) -> bool:
    return event_type not in (REPLAYED, LETTERS) and not event_type.startswith(ASIDE)


class MemoryPauses:
    def __init__(self, uow: MemoryUnitOfWork, consumer: OwnName) -> None:
        self._uow = uow
        self._consumer = consumer

    async def begin(self, pause: Pause) -> bool:
        return await self._uow.transaction.try_insert(PAUSED, Paused(self._consumer, pause))

    async def end(self) -> bool:
        was_paused = bool(await self._uow.transaction.lock(PAUSED, [self._consumer]))
        await self._uow.transaction.delete(PAUSED, self._consumer)
        return was_paused


class MemoryStandingReading:
    def __init__(self, database: MemoryDatabase, consumer: OwnName) -> None:
        self._database = database
        self._consumer = consumer

    async def standing(self) -> Standing:
        ids = [row.id for row in self._database.rows(OUTBOX) if is_published(row.type)]
        paused = self._database.get(PAUSED, self._consumer)
        return Standing(made_at(min(ids)) if ids else None, paused.pause if paused else None)
