from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from kernel.domain.acts import Act, Place


class OperatorRecord(Protocol):
    """What operators did; append-only."""

    async def add(self, acts: Sequence[Act]) -> None:
        """Kept if this transaction commits. An act that is recorded already stays as it is: an attempt whose
        answer was lost is repeated, and records it again."""
        ...

    async def of(self, user_id: str, subject: UUID, did: str) -> Act | None:
        """The act as it was recorded first, this transaction's own included."""
        ...


class RecordedActs(Protocol):
    """Reads beside the model, of what is committed now."""

    async def page(self, *, after: Place | None, count_max: int) -> Sequence[Act]:
        """The newest first: those that stand behind the given place."""
        ...
