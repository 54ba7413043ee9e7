from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from kernel.domain.acts import Act, Place


class OperatorRecord(Protocol):
    """The acts of operators; append-only."""

    async def add(self, acts: Sequence[Act]) -> None:
        """Records the acts in this transaction. An act that is recorded already stays as it is, because a
        command is repeated when its answer was lost."""

    async def of(self, user_id: str, subject: UUID, did: str) -> Act | None:
        """The act as it was recorded first, also by this transaction itself."""


class RecordedActs(Protocol):
    """Reads the committed acts of operators, without a unit of work."""

    async def page(self, *, after: Place | None, count_max: int) -> Sequence[Act]:
        """The newest first. With `after`, only the acts that come behind this place."""
