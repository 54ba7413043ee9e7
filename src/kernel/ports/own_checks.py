from collections.abc import Sequence
from typing import Protocol

from kernel.domain.faults import Checked


class OwnChecks(Protocol):
    """Checks the rules that must hold within the database of one service."""

    async def run(self) -> Sequence[Checked]:
        """Reads the whole database, which may take long. Raises Unavailable."""
