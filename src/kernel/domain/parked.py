"""Parked messages, grouped by cause, and the operations of operators on them."""

from datetime import datetime
from enum import StrEnum
from typing import Literal, NewType
from uuid import UUID, uuid5

from kernel.domain.value import value

# This never changes, because operators' scripts keep the ids of groups.
_GROUPS = UUID("6f9619ff-8b86-5d01-b42d-00cf4fc964ff")

OwnName = NewType("OwnName", str)
"""The name of the service that this process runs. The wiring provides the name by this type."""


@value
class Cause:
    """The cause that all parked messages of a group have in common."""

    dead_letter: bool
    type: str
    reason: str

    @property
    def place(self) -> Literal["parked", "dead letters"]:
        return "dead letters" if self.dead_letter else "parked"

    def id_in(self, service: str) -> UUID:
        """Returns the id of the group in this service. It is the same in every process, and never changes."""
        return uuid5(_GROUPS, "\x1f".join((service, self.place, self.type, self.reason)))

    def __str__(self) -> str:
        return f"{self.place}, {self.reason}, {self.type or 'no type'}"


@value(kw_only=True)
class Waiting:
    """A parked message for operators: the last of `count` with the same type, subject and reason."""

    id: UUID
    cause: Cause
    subject: str
    detail: str
    count: int
    first_parked_at: datetime
    last_parked_at: datetime
    size: int
    beginning: bytes
    """The first bytes of the payload; the whole payload has `size` bytes."""


@value(kw_only=True)
class Figures:
    """The figures of a cause. Repeated messages share a row: `messages` counts rows, `count` all messages."""

    messages: int
    count: int
    oldest_at: datetime
    newest_at: datetime
    sample: Waiting
    """The message that was parked first."""


@value(kw_only=True)
class Hold:
    """A person looks after a cause. Alarms leave out its messages, including those that are parked later."""

    owner: str
    note: str
    ticket: str
    held_by: str
    held_at: datetime


@value(kw_only=True)
class Group:
    """The messages of one cause. `figures` is None if none waits, because a hold outlasts the messages."""

    id: UUID
    service: str
    cause: Cause
    figures: Figures | None
    hold: Hold | None


class Kind(StrEnum):
    REPLAY = "replay"
    DISCARD = "discard"


@value(kw_only=True)
class Operation:
    """A replay or discard of a message or a group, done in batches. It concerns the messages that waited when
    an operator began it."""

    id: UUID
    kind: Kind
    target: UUID
    """The id of the message or of the group."""
    about: str
    """The target in words, because the group may be gone when somebody reads this."""
    operator: str
    through: str
    note: str
    total: int = 0
    """How many messages waited when the operation began."""
    passed: int = 0
    """How many of these messages have been looked at."""
    done: int = 0
    """How many of these messages were unchanged since the beginning, and were replayed or discarded."""
    began_at: datetime
    ended_at: datetime | None = None

    @property
    def state(self) -> Literal["running", "done"]:
        return "running" if self.ended_at is None else "done"

    @property
    def outcome(self) -> str:
        """The result in words; empty until the operation has ended."""
        if self.ended_at is None:
            return ""
        done = {Kind.REPLAY: "went back to their consumer", Kind.DISCARD: "were discarded"}[self.kind]
        left = self.total - self.done
        others = f"; {left} had gone, or had come again, and were left alone" if left else ""
        return f"{self.done} of {self.total} {done}{others}"
