from collections.abc import Sequence
from typing import Protocol

from kernel.domain.errors import Refused
from orders.domain.commands import Placement


class Admission(Protocol):
    async def check(self, commands: Sequence[Placement]) -> Sequence[Refused | None]:
        """For each order, the refusal if it cannot be paid now, else None. Each order is checked alone. All
        are None if payments does not answer in time, because the payment itself decides later."""
        ...
