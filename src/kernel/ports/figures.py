from collections.abc import Mapping, Sequence
from typing import Protocol

from kernel.domain.overview import WaitingEvents


class Figures(Protocol):
    """What waits in the tables of a service, of what is committed now."""

    async def waiting(self) -> Sequence[WaitingEvents]:
        """The events of the outbox, by type."""
        ...

    async def parked(self) -> Mapping[str, int]:
        """How many messages wait for an operator, by reason."""
        ...

    async def held(self) -> int:
        """How many more are parked, and looked after."""
        ...

    async def revision(self) -> int:
        """Of the database."""
        ...
