from dataclasses import dataclass, replace
from datetime import datetime

from kernel.adapters.memory.database import Table
from kernel.adapters.memory.unit_of_work import MemoryUnitOfWork
from kernel.domain.events import Unhandled
from kernel.ports.clock import Clock


@dataclass(frozen=True, slots=True)
class Parked:
    """`unhandled` is the last one of its type, subject and reason."""

    unhandled: Unhandled
    count: int
    first_parked_at: datetime
    last_parked_at: datetime

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.unhandled.type, self.unhandled.subject, self.unhandled.reason)


PARKED = Table[Parked]({"key": lambda parked: parked.key})


class MemoryParkedMessages:
    def __init__(self, uow: MemoryUnitOfWork, clock: Clock) -> None:
        self._uow = uow
        self._clock = clock

    async def add(self, unhandled: Unhandled) -> None:
        now = self._clock.now()
        first = Parked(unhandled, 1, now, now)
        if not await self._uow.transaction.try_insert(PARKED, first):
            await self._uow.transaction.update(
                PARKED,
                first.key,
                lambda row: replace(row, unhandled=unhandled, count=row.count + 1, last_parked_at=now),
            )
