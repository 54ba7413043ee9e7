from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

from kernel.domain.value import value

E_contra = TypeVar("E_contra", contravariant=True)


@value
class OutboxRow:
    """Encoded events of one type, with commas between them, under the id of the first."""

    type: str
    id: UUID
    events: bytes
    count: int


class Outbox(Protocol[E_contra]):
    async def add(self, events: Sequence[E_contra]) -> None:
        """Keep the events with this transaction, each under a new id, to be published after it.

        Those of one type are kept together, as many as an envelope holds.
        """


class Backlog(Protocol):
    """The other end of the outbox: what waits to be published."""

    async def take(
        self, event_type: str, *, count_max: int, before: datetime | None = None
    ) -> Sequence[OutboxRow]:
        """The oldest rows of a type that were kept `before` this time. They are gone if this transaction
        commits, and there again if not.

        Rows that another transaction has taken are passed over, so that any number of relays share the work.
        """

    async def waiting(
        self, event_type: str, *, count_max: int, before: datetime, but: Collection[UUID]
    ) -> Sequence[OutboxRow]:
        """As `take`, without these rows; they all stay, and nobody is kept from them."""

    async def types_waiting(self, event_types: Sequence[str]) -> Sequence[str]:
        """The given types of which some row waits."""

    async def remove(self, event_type: str, ids: Sequence[UUID]) -> None:
        """Remove rows that were published without being taken; some may be gone already."""

    async def waiting_since(self) -> datetime | None:
        """Since when the oldest committed event waits that a service must get; None where none waits."""
