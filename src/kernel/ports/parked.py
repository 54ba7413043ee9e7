from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from kernel.domain.events import Parked, Unhandled


class ParkedMessages(Protocol):
    async def add(self, unhandled: Sequence[Unhandled]) -> None:
        """Keep them for an operator; one of the same type, subject and reason only counts up."""

    async def waiting(self, *, after: UUID | None, count_max: int) -> Sequence[Parked]:
        """In the order of their ids, those that come after the given one."""

    async def take(self, ids: Sequence[UUID]) -> Sequence[Parked]:
        """Those that are still parked, in the order of their ids; gone if this transaction commits, there
        again if not. Whoever asks for the same meanwhile waits, and gets the others."""


class DiscardedMessages(Protocol):
    """What operators threw away; append-only."""

    async def add(self, discarded: Sequence[Parked], *, by: str, note: str) -> None:
        """Keep them with the time, the operator and the operator's reason."""
