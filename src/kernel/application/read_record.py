from collections.abc import Sequence
from dataclasses import dataclass

from kernel.domain.acts import Act, Place
from kernel.domain.caller import Caller
from kernel.ports.operator_record import RecordedActs


@dataclass
class ReadRecord:
    """Reads the acts of operators in this service."""

    acts: RecordedActs

    async def __call__(self, caller: Caller, *, after: Place | None, limit: int) -> Sequence[Act]:
        """Returns the acts behind the place `after`, the newest first. Raises Forbidden."""
        caller.require_to_see_all()
        return await self.acts.page(after=after, count_max=limit)
