from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from orders.domain.series import Measured, Step


class MeasuredOrders(Protocol):
    """Measures committed orders, outside of a transaction."""

    async def measure(self, start: datetime, end: datetime, *, sample_max: int) -> Measured:
        """Counts the orders whose ids were made from `start` on and before `end`, and samples some of them.
        The sample is chosen by the random end of the ids, so every process chooses the same orders."""
        ...


class Series(Protocol):
    """The stored steps, which all processes share, inside a transaction."""

    async def since(self, start: datetime) -> Sequence[Step]:
        """The steps that start at `start` or later, oldest first."""
        ...

    async def keep(self, steps: Sequence[Step]) -> None:
        """Stores the steps. A stored step is replaced unless it is final or was computed later."""
        ...

    async def prune(self, *, before: datetime, count_max: int) -> int:
        """Deletes steps that start before `before`, oldest first. Returns their number."""
        ...
