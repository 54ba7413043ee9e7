from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

from kernel.domain.value import value

E_contra = TypeVar("E_contra", contravariant=True)


@value
class OutboxRow:
    """Encoded events of one type, joined by commas, under the id of the first event."""

    type: str
    id: UUID
    events: bytes
    count: int


class Outbox(Protocol[E_contra]):
    async def add(self, events: Sequence[E_contra]) -> None:
        """Stores the events in this transaction, each under a new id. They are published after the commit.
        Events of one type share a row, up to the size of an envelope."""


class Backlog(Protocol):
    """The rows of the outbox, for relays."""

    async def take(
        self, event_type: str, *, count_max: int, before: datetime | None = None
    ) -> Sequence[OutboxRow]:
        """Removes and returns the oldest rows of a type that were stored `before` this time. A rollback puts
        them back. Skips rows that another transaction has taken, so that relays share the work."""

    async def waiting(
        self, event_type: str, *, count_max: int, before: datetime, but: Collection[UUID]
    ) -> Sequence[OutboxRow]:
        """Returns the oldest rows like `take`, except the rows in `but`. Neither removes nor locks them."""

    async def types_waiting(self, event_types: Sequence[str]) -> Sequence[str]:
        """Returns those of the given types of which at least one row waits."""

    async def remove(self, event_type: str, ids: Sequence[UUID]) -> None:
        """Removes rows that were published without `take`. Rows that are already gone are no error."""

    async def waiting_since(self) -> datetime | None:
        """Returns when the oldest event was stored; None if none waits. Omits events set aside for a lane."""
