from collections.abc import Sequence
from typing import Protocol

from kernel.domain.errors import Refused
from orders.domain.commands import Placement


class Admission(Protocol):
    async def check(self, commands: Sequence[Placement]) -> Sequence[Refused | None]:
        """For each order, why it could not be paid now; None if it could. Each order is judged alone.

        The payment itself decides later. All are None if payments does not answer in time.
        """
        ...
