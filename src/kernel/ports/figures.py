from collections.abc import Mapping, Sequence
from typing import Protocol

from kernel.domain.overview import WaitingEvents


class MessagingFigures(Protocol):
    """Counts the committed rows that wait in the tables of a service."""

    async def waiting(self) -> Sequence[WaitingEvents]:
        """Counts the events in the outbox, by type."""

    async def parked(self) -> tuple[Mapping[str, int], Mapping[str, int]]:
        """Counts parked messages by reason: those of groups without a hold, and those of held groups."""

    async def revision(self) -> int:
        """Returns the revision of the database's schema."""
