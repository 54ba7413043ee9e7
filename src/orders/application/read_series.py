import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from kernel.domain.caller import Caller
from kernel.ports.clock import Clock
from kernel.ports.unit_of_work import UnitOfWork
from orders.domain.series import SAMPLE_MAX, STEP, Step, due, starts_shown, step_of
from orders.ports.series import MeasuredOrders, Series


@dataclass
class ComputeSeries:
    """Computes the newest steps if they are due, and stores them for all processes."""

    uow: UnitOfWork
    orders: MeasuredOrders
    series: Series
    clock: Clock

    async def __call__(self) -> Sequence[Step]:
        """Returns the newest steps, oldest first. Each step is stored as soon as it is computed, so a
        cancelled call loses at most one step."""
        now = self.clock.now()
        starts = starts_shown(now)
        known = await self._known(starts[0])
        wanted = due(starts, {step.start: step for step in known}, now)
        for start in wanted:
            measured_at = self.clock.now()
            measured = await self.orders.measure(start, start + STEP, sample_max=SAMPLE_MAX)
            async with self.uow:
                await self.series.keep([step_of(start, measured, measured_at)])
        return await self._known(starts[0]) if wanted else known

    async def _known(self, start: datetime) -> Sequence[Step]:
        async with self.uow:
            return await self.series.since(start)


@dataclass
class ReadSeries:
    """Reads the series for operators. In each process, only one call at a time computes steps. Other calls
    wait, and then read the stored steps."""

    compute: Callable[[], Awaitable[Sequence[Step]]]
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def __call__(self, caller: Caller) -> Sequence[Step]:
        """The newest steps, oldest first. Raises Forbidden."""
        caller.require_to_see_all()
        async with self._turn:
            return await self.compute()
