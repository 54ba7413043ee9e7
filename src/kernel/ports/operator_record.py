from collections.abc import Sequence
from typing import Protocol

from kernel.domain.acts import Act


class OperatorRecord(Protocol):
    """What operators did; append-only."""

    async def add(self, acts: Sequence[Act]) -> None:
        """Kept if this transaction commits. One that is there already stays as it is: an attempt whose
        answer was lost is repeated with its record."""
        ...
