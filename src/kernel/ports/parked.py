from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from kernel.domain.events import Parked, Unhandled
from kernel.domain.parked import Cause, Figures, Hold, Operation, Waiting


class ParkedMessages(Protocol):
    async def add(self, unhandled: Sequence[Unhandled]) -> None:
        """Stores messages for an operator. Messages of the same type, subject and reason share a row, which
        counts them."""

    async def lock(self, ids: Sequence[UUID]) -> Sequence[Parked]:
        """Locks the messages that are still parked, and returns them in the order of their ids."""

    async def take(self, ids: Sequence[UUID]) -> Sequence[Parked]:
        """Removes the messages that are still parked, and returns them in the order of their ids. A rollback
        puts them back. Two transactions never take the same message: the second waits for the first."""


class DiscardedMessages(Protocol):
    """The messages that operators discarded; append-only."""

    async def add(self, discarded: Sequence[Parked], *, by: str, note: str) -> None:
        """Stores the messages with the time, the operator and the operator's reason."""


class HeldCauses(Protocol):
    """Causes that a person looks after. Alarms leave out the messages of these causes."""

    async def hold(self, holds: Mapping[Cause, Hold]) -> None:
        """Stores the holds. A new hold replaces an earlier hold of the same cause."""

    async def release(self, cause: Cause) -> bool:
        """Ends the hold of the cause. Returns whether there was a hold."""


class Operations(Protocol):
    """The operations of operators. Any process of the service works them off, in batches."""

    async def add(self, operation: Operation, messages: UUID | Cause) -> int:
        """Stores the operation with the messages that wait now: the message with this id, or all messages of
        the cause. Returns their number, which becomes `total`. Messages that are parked later do not belong
        to the operation. An operation that is already stored stays as it is."""

    async def next(self) -> Operation | None:
        """Locks and returns the oldest operation that has not ended and that no other transaction locks."""

    async def batch(self, operation: Operation, *, count_max: int) -> Mapping[UUID, int]:
        """Returns the ids of the operation's next messages, each with the `count` that it had when the
        operation began. They leave the operation's list if this transaction commits."""

    async def save(self, operation: Operation) -> None:
        """Stores the progress of the operation."""


class ParkedReading(Protocol):
    """Reads committed data about parked messages, without a unit of work. Raises Unavailable."""

    async def page(
        self, *, cause: Cause | None = None, after: UUID | None = None, count_max: int
    ) -> Sequence[Waiting]:
        """Returns messages in the order of their ids. With `after`, returns only those with a greater id."""

    async def find(self, message: UUID) -> Waiting | None: ...

    async def causes(self) -> Mapping[Cause, Figures]: ...

    async def held(self) -> Mapping[Cause, Hold]: ...

    async def operation(self, id: UUID) -> Operation | None: ...
