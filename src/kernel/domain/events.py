"""What travels between services, in the words of the domain."""

from collections.abc import Callable, Sequence
from dataclasses import field
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from kernel.domain.value import value


@value(kw_only=True)
class Event:
    """Something that happened. `traceparent` (W3C Trace Context) and `request_id` name the call behind it,
    `idempotency_key` is that of the subject; where they are not known they are empty."""

    traceparent: str
    request_id: str = ""
    idempotency_key: str = ""

    @property
    def subject(self) -> UUID:
        """The id of what it happened to."""
        raise NotImplementedError

    @property
    def key(self) -> str:
        """Events with the same key stay together: whatever groups or splits messages does it by the key.

        CloudEvents calls it the partition key (extension `partitionkey`).
        """
        raise NotImplementedError


E = TypeVar("E", bound=Event)


@value
class MessageId:
    """Identity of an event for ever: `source` + `id` of CloudEvents, whatever message carried it."""

    source: str
    id: str


@value
class Received(Generic[E]):
    """A fact from another service, with the event that carried it."""

    message: MessageId
    type: str
    fact: E
    payload: bytes
    again: bool = field(default=False, compare=False)
    """Whether it may have been handled before."""

    def unhandled(self, reason: str, detail: str) -> "Unhandled":
        return Unhandled(
            message=self.message,
            type=self.type,
            subject=str(self.fact.subject),
            reason=reason,
            detail=detail,
            payload=self.payload,
            traceparent=self.fact.traceparent,
        )


@value
class Unhandled:
    """What could not be handled: parked as it came, with the reason, for an operator."""

    message: MessageId
    type: str
    subject: str
    reason: str
    detail: str
    payload: bytes
    traceparent: str = field(default="", compare=False)  # for log lines; not kept
    dead_letter: bool = False
    """Whether the payload is a whole message that the bus gave up; else it is one event."""


@value
class Parked:
    """What waits for an operator: the last of `count` messages of one type, subject and reason."""

    id: UUID
    unhandled: Unhandled
    count: int
    first_parked_at: datetime
    last_parked_at: datetime


def joined(unhandled: Sequence[Unhandled], new_id: Callable[[], UUID], now: datetime) -> list[Parked]:
    """One row for each type, subject and reason, with the last of its messages and their count. The rows are
    in key order, so that two transactions that park the same cannot deadlock."""
    rows: dict[tuple[str, str, str], Parked] = {}
    for item in unhandled:
        key = item.type, item.subject, item.reason
        count = rows[key].count + 1 if key in rows else 1
        rows[key] = Parked(new_id(), item, count, now, now)
    return [rows[key] for key in sorted(rows)]


def trace_of(traceparent: str) -> UUID | None:
    """The id of its trace, which has as many bits as a UUID."""
    return UUID(hex=traceparent[3:35]) if traceparent else None


def new_trace(seed: UUID) -> str:
    """The traceparent of what nobody outside caused: a new trace, not sampled."""
    return f"00-{seed.hex}-{seed.hex[16:]}-00"
