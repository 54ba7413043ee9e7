"""The series of orders in memory."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from kernel.domain.ids import first_id
from orders.domain.series import Measured, Step
from tests.memory.database import MemoryDatabase, Table
from tests.memory.orders import ORDER_HISTORY, ORDERS
from tests.memory.unit_of_work import MemoryUnitOfWork

SERIES = Table[Step]({"start": lambda step: step.start})


class MemoryMeasuredOrders:
    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def measure(self, start: datetime, end: datetime, *, sample_max: int) -> Measured:
        rows = self._database.rows(ORDERS)
        orders = [order for order in rows if first_id(start) <= order.id < first_id(end)]
        orders.sort(key=lambda order: (order.id.bytes[12:], order.id))
        sample = {order.id: order for order in orders[:sample_max]}
        decided = (change for change in self._database.rows(ORDER_HISTORY) if change.sequence == 2)
        seconds = [
            max(0.0, (change.at - sample[change.order_id].created_at).total_seconds())
            for change in decided
            if change.order_id in sample
        ]
        return Measured(len(orders), len(sample), seconds)


class MemorySeries:
    def __init__(self, uow: MemoryUnitOfWork) -> None:
        self._uow = uow

    async def since(self, start: datetime) -> Sequence[Step]:
        steps = [step for step in self._uow.transaction.committed(SERIES) if step.start >= start]
        return sorted(steps, key=lambda step: step.start)

    async def keep(self, steps: Sequence[Step]) -> None:
        for step in sorted(steps, key=lambda step: step.start):
            if not await self._uow.transaction.try_insert(SERIES, step):
                await self._uow.transaction.update(SERIES, step.start, partial(_newer, step))

    async def prune(self, *, before: datetime, count_max: int) -> int:
        transaction = self._uow.transaction
        old = [step for step in transaction.unlocked(SERIES) if step.start < before][:count_max]
        for step in old:
            await transaction.delete(SERIES, step.start)
        return len(old)


def _newer(step: Step, row: Step) -> Step:
    return row if row.is_final or row.computed_at >= step.computed_at else step
