from collections.abc import Sequence
from uuid import UUID

from kernel.domain.acts import Act, Place
from tests.memory.database import MemoryDatabase, Table
from tests.memory.unit_of_work import MemoryUnitOfWork

OPERATOR_RECORD = Table[Act]({"act": lambda act: (act.user_id, act.subject, act.did)}, append_only=True)


class MemoryOperatorRecord:
    def __init__(self, uow: MemoryUnitOfWork) -> None:
        self._uow = uow

    async def add(self, acts: Sequence[Act]) -> None:
        for act in sorted(acts, key=lambda act: (act.user_id, act.subject, act.did)):
            await self._uow.transaction.try_insert(OPERATOR_RECORD, act)

    async def of(self, user_id: str, subject: UUID, did: str) -> Act | None:
        return self._uow.transaction.get(OPERATOR_RECORD, (user_id, subject, did))


class MemoryRecordedActs:
    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def page(self, *, after: Place | None, count_max: int) -> Sequence[Act]:
        acts = sorted(self._database.rows(OPERATOR_RECORD), key=lambda act: act.place, reverse=True)
        return [act for act in acts if after is None or act.place < after][:count_max]
