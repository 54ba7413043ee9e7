from collections.abc import Mapping, Sequence
from typing import Protocol

from kernel.domain.overview import WaitingEvents


class MessagingFigures(Protocol):
    """What waits in the tables of a service, of what is committed now."""

    async def waiting(self) -> Sequence[WaitingEvents]:
        """The events of the outbox, by type."""
        ...

    async def parked(self) -> tuple[Mapping[str, int], Mapping[str, int]]:
        """How many messages wait for an operator, by reason; apart from them, how many of those that somebody
        looks after."""
        ...

    async def revision(self) -> int:
        """Of the database."""
        ...
