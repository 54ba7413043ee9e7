from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from kernel.domain.events import Event, MessageId, Received

E = TypeVar("E", bound=Event)


class Inbox(Protocol):
    async def claim(self, received: Sequence[Received[E]]) -> Sequence[Received[E]]:
        """The messages that no committed transaction has claimed before, in order, each once.

        What may have come before has to say so (`again`), for that it did is rare, and to find out costs a
        round trip. Where it does not, or comes in another transaction at the same time, Contention is raised,
        when the transaction ends at the latest.
        """

    async def claim_message(self, message: MessageId) -> bool:
        """Whether this transaction is the first to claim the message."""

    async def forget(self, messages: Sequence[MessageId]) -> None:
        """Whoever comes next with one of these messages may claim it again."""

    async def prune(self, *, before: datetime, count_max: int) -> int:
        """Forget messages that were claimed before then, and say how many; any number of callers share it."""
