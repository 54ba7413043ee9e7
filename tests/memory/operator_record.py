from collections.abc import Sequence

from kernel.domain.acts import Act
from tests.memory.database import Table
from tests.memory.unit_of_work import MemoryUnitOfWork

OPERATOR_RECORD = Table[Act]({"act": lambda act: (act.user_id, act.subject, act.did)}, append_only=True)


class MemoryOperatorRecord:
    def __init__(self, uow: MemoryUnitOfWork) -> None:
        self._uow = uow

    async def add(self, acts: Sequence[Act]) -> None:
        for act in sorted(acts, key=lambda act: (act.user_id, act.subject, act.did)):
            await self._uow.transaction.try_insert(OPERATOR_RECORD, act)
