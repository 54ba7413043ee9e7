"""What waits for an operator, by what it has in common, and what operators do about it."""

from datetime import datetime
from enum import StrEnum
from typing import Literal, NewType
from uuid import UUID, uuid5

from kernel.domain.value import value

# Frozen: an operator's scripts keep the ids of groups.
_GROUPS = UUID("6f9619ff-8b86-5d01-b42d-00cf4fc964ff")


OwnName = NewType("OwnName", str)
"""The name of the service whose process this is; a type of its own, by which it is provided."""


@value
class Cause:
    """What failures of a service have in common."""

    dead_letter: bool
    type: str
    reason: str

    @property
    def place(self) -> Literal["parked", "dead letters"]:
        return "dead letters" if self.dead_letter else "parked"

    def id_in(self, service: str) -> UUID:
        """The id of the group in this service: the same in every process, for ever."""
        return uuid5(_GROUPS, "\x1f".join((service, self.place, self.type, self.reason)))

    def __str__(self) -> str:
        return f"{self.place}, {self.reason}, {self.type or 'no type'}"


@value(kw_only=True)
class Waiting:
    """A parked message as operators see it: the last of `count` of one type, subject and reason."""

    id: UUID
    cause: Cause
    subject: str
    detail: str
    count: int
    first_parked_at: datetime
    last_parked_at: datetime
    size: int
    beginning: bytes
    """Of its payload, which has `size` bytes."""


@value(kw_only=True)
class Figures:
    """Of the messages of a cause: `messages` are kept, for `count` that came."""

    messages: int
    count: int
    oldest_at: datetime
    newest_at: datetime
    sample: Waiting
    """The one that was parked first."""


@value(kw_only=True)
class Hold:
    """Who looks after a cause: nobody else needs to be woken for it, also not for what is still to come."""

    owner: str
    note: str
    ticket: str
    held_by: str
    held_at: datetime


@value(kw_only=True)
class Group:
    """`figures` is None where nothing waits, as in a group that is held for what is to come."""

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
    """What an operator has done to the messages that waited when they said so, a batch at a time."""

    id: UUID
    kind: Kind
    target: UUID
    """The message, or the group."""
    about: str
    """The target in words: a group may be gone when somebody reads this."""
    operator: str
    through: str
    note: str
    total: int = 0
    """So many messages waited."""
    passed: int = 0
    """So many of them were looked at."""
    done: int = 0
    """So many of these were still as they waited, and it was done to them."""
    began_at: datetime
    ended_at: datetime | None = None

    @property
    def state(self) -> Literal["running", "done"]:
        return "running" if self.ended_at is None else "done"

    @property
    def outcome(self) -> str:
        """In words; empty until it has ended."""
        if self.ended_at is None:
            return ""
        done = {Kind.REPLAY: "went back to their consumer", Kind.DISCARD: "were discarded"}[self.kind]
        left = self.total - self.done
        others = f"; {left} had gone, or had come again, and were left alone" if left else ""
        return f"{self.done} of {self.total} {done}{others}"
