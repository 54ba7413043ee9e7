from dataclasses import dataclass

from kernel.ports.clock import Clock
from kernel.ports.unit_of_work import UnitOfWork
from orders.domain.series import KEPT
from orders.ports.series import Series

COUNT_MAX = 1000


@dataclass
class PruneSeries:
    """Forgets steps that nobody is shown any more."""

    uow: UnitOfWork
    series: Series
    clock: Clock

    async def __call__(self) -> bool:
        """Whether there may be more to do."""
        async with self.uow:
            pruned = await self.series.prune(before=self.clock.now() - KEPT, count_max=COUNT_MAX)
        return pruned == COUNT_MAX
