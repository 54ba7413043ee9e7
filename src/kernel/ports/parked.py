from typing import Protocol

from kernel.domain.events import Unhandled


class ParkedMessages(Protocol):
    async def add(self, unhandled: Unhandled) -> None:
        """Keep it for an operator; one of the same type, subject and reason only counts up."""
        ...
