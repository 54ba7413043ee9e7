from collections.abc import Sequence
from typing import Protocol

from kernel.domain.errors import Refused
from orders.domain.commands import Placement


class Admission(Protocol):
    async def check(self, commands: Sequence[Placement]) -> Sequence[Refused | None]:
        """Why each order would not be paid now, each checked alone; None where it would be.

        The payment has the last word. Where payments cannot be asked in time, all are None.
        """
        ...
