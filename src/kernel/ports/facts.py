from typing import Protocol
from uuid import UUID

from kernel.domain.facts import Part


class MessagingFacts(Protocol):
    """Reads beside the model, of what is committed now."""

    async def about(self, subject: UUID) -> Part:
        """Which events about the subject wait in the outbox or are parked, what operators did about it, and
        what holds up the service as a whole. Raises Unavailable where none of that can be read."""
        ...
