from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from kernel.domain.events import Event, MessageId, Received

E = TypeVar("E", bound=Event)


class Inbox(Protocol):
    async def claim(self, received: Sequence[Received[E]]) -> Sequence[Received[E]]:
        """Claims the messages. Returns those that were not claimed before, in order and without repeats.

        For a message that is marked `again`, earlier claims are looked up, which costs a round trip.
        Otherwise raises Contention, at the latest at commit, if a message was claimed before. Also raises
        Contention if another transaction claims the same message at the same time.
        """

    async def claim_message(self, message: MessageId) -> bool:
        """Claims the message. Returns whether this transaction is the first to claim it."""

    async def forget(self, messages: Sequence[MessageId]) -> None:
        """Deletes the claims, so that each of these messages can be claimed again."""

    async def prune(self, *, before: datetime, count_max: int) -> int:
        """Deletes at most `count_max` claims made before this time. Returns how many. Concurrent callers
        share the work."""
