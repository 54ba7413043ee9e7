from typing import Protocol
from uuid import UUID

from kernel.domain.facts import Part


class MessagingFacts(Protocol):
    """Reads committed facts about a subject, such as an order, without a unit of work."""

    async def about(self, subject: UUID) -> Part:
        """Returns the events about the subject that wait in the outbox or are parked, operators' acts on the
        subject, and the causes that hold up the service. Raises Unavailable if none of these can be read."""
