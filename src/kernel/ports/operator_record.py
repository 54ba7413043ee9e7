from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from kernel.domain.acts import Act, Place


class OperatorRecord(Protocol):
    """The acts of operators; append-only."""

    async def add(self, acts: Sequence[Act]) -> None:
        """Records the acts in this transaction. An act that is already recorded stays as it is, because a
        command is repeated when its answer was lost."""

    async def of(self, user_id: str, subject: UUID, did: str) -> Act | None:
        """Returns the act as first recorded, by this or an earlier transaction; None if there is none."""


class RecordedActs(Protocol):
    """Reads the committed acts of operators, without a unit of work."""

    async def page(self, *, after: Place | None, count_max: int) -> Sequence[Act]:
        """Returns acts, the newest first. With `after`, only the acts that come behind this place."""
