from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from kernel.domain.events import Event, MessageId, Received

E = TypeVar("E", bound=Event)


class Inbox(Protocol):
    async def claim(self, received: Sequence[Received[E]]) -> Sequence[Received[E]]:
        """The messages that no committed transaction has claimed before, in order, each once.

        Earlier claims are looked up only for messages that are marked `again`, because that costs a round
        trip. Raises Contention, at the latest when the transaction ends, where another message was claimed
        before, or another transaction claims the same at the same time.
        """

    async def claim_message(self, message: MessageId) -> bool:
        """Whether this transaction is the first to claim the message."""

    async def forget(self, messages: Sequence[MessageId]) -> None:
        """Whoever comes next with one of these messages may claim it again."""

    async def prune(self, *, before: datetime, count_max: int) -> int:
        """Forget messages that were claimed before then, and say how many; any number of callers share it."""
