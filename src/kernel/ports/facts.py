from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from kernel.domain.facts import Fact


class MessagingFacts(Protocol):
    """Reads beside the model, of what is committed now."""

    async def about(self, subject: UUID) -> Sequence[Fact]:
        """Which events about the subject wait in the outbox or are parked, what operators did about it, and
        what holds up the service as a whole."""
        ...
