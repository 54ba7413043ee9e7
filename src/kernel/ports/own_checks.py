from collections.abc import Sequence
from typing import Protocol

from kernel.domain.faults import Checked


class OwnChecks(Protocol):
    """What must hold within the database of one service."""

    async def run(self) -> Sequence[Checked]:
        """Looks at all of it, which may take long. Raises Unavailable."""
        ...
