from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from kernel.domain.events import Parked, Unhandled
from kernel.domain.parked import Cause, Figures, Hold, Operation, Waiting


class ParkedMessages(Protocol):
    async def add(self, unhandled: Sequence[Unhandled]) -> None:
        """Keep them for an operator; one of the same type, subject and reason only counts up."""

    async def lock(self, ids: Sequence[UUID]) -> Sequence[Parked]:
        """Those that are still parked, in the order of their ids. Whoever wants to change them waits."""

    async def take(self, ids: Sequence[UUID]) -> Sequence[Parked]:
        """Those that are still parked, in the order of their ids. They are gone if this transaction commits,
        and there again if not. A transaction that asks for the same meanwhile waits, and gets the others."""


class DiscardedMessages(Protocol):
    """What operators threw away; append-only."""

    async def add(self, discarded: Sequence[Parked], *, by: str, note: str) -> None:
        """Keep them with the time, the operator and the operator's reason."""


class HeldCauses(Protocol):
    """What somebody looks after, so that no alarm has to tell of it."""

    async def hold(self, holds: Mapping[Cause, Hold]) -> None:
        """Replaces who held them before."""

    async def release(self, cause: Cause) -> bool:
        """Whether it was held."""


class Operations(Protocol):
    """What operators want to have done, worked off in batches by whichever process comes first."""

    async def add(self, operation: Operation, messages: UUID | Cause) -> int:
        """Keep it, with the messages that wait now: the one of this id, or all of the cause. Says how many
        they are, which becomes its `total`. What is parked later, or comes again later, does not belong to
        it. An operation that is kept already stays as it is."""
        ...

    async def next(self) -> Operation | None:
        """The oldest that has not ended and that nobody else works at; locked."""
        ...

    async def batch(self, operation: Operation, *, count_max: int) -> Mapping[UUID, int]:
        """The ids of the next of its messages, with how often each had come; they leave its list if this
        transaction commits."""
        ...

    async def save(self, operation: Operation) -> None:
        """With its progress."""


class ParkedReading(Protocol):
    """Reads beside the model, of what is committed now. Raises Unavailable."""

    async def page(
        self, *, cause: Cause | None = None, after: UUID | None = None, count_max: int
    ) -> Sequence[Waiting]:
        """In the order of their ids, those that come after the given one."""
        ...

    async def find(self, message: UUID) -> Waiting | None: ...

    async def causes(self) -> Mapping[Cause, Figures]: ...

    async def held(self) -> Mapping[Cause, Hold]: ...

    async def operation(self, id: UUID) -> Operation | None: ...
