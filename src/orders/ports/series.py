from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from orders.domain.series import Measured, Step


class MeasuredOrders(Protocol):
    """Reads beside the model, of what is committed now."""

    async def measure(self, start: datetime, end: datetime, *, sample_max: int) -> Measured:
        """Of the orders whose ids were made from `start` on and before `end`. Those that are looked at are
        chosen by the random end of their ids, so that every process chooses the same."""
        ...


class Series(Protocol):
    """The steps that were computed, as every process sees them."""

    async def since(self, start: datetime) -> Sequence[Step]:
        """Those that start then or later, the oldest first."""
        ...

    async def keep(self, steps: Sequence[Step]) -> None:
        """Kept if this transaction commits, each in the place of an older one; one that is final stays."""
        ...

    async def prune(self, *, before: datetime, count_max: int) -> int:
        """Forgets steps that start before that, the oldest first, and tells how many."""
        ...
