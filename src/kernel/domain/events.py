"""Events between services, as domain values: received, unhandled and parked events."""

from collections.abc import Callable, Sequence
from dataclasses import field
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from kernel.domain.value import value


@value(kw_only=True)
class Event:
    """Something that happened. `traceparent` (W3C Trace Context) and `request_id` identify the call that
    caused it. `idempotency_key` is the key under which the subject was created. An unknown value is empty."""

    traceparent: str
    request_id: str = ""
    idempotency_key: str = ""

    @property
    def subject(self) -> UUID:
        """The id of the thing that the event happened to, such as an order."""
        raise NotImplementedError

    @property
    def key(self) -> str:
        """The key of the event. Code that groups or splits messages keeps the events of one key together
        (CloudEvents, extension `partitionkey`)."""
        raise NotImplementedError


@value(kw_only=True)
class OrderEvent(Event):
    """An event about an order. Its key is the user's id, so all events of one user have the same key."""

    order_id: UUID
    user_id: str

    @property
    def subject(self) -> UUID:
        return self.order_id

    @property
    def key(self) -> str:
        return self.user_id


E = TypeVar("E", bound=Event)


@value
class MessageId:
    """The permanent id of an event (CloudEvents, `source` and `id`), in every message that carries it."""

    source: str
    id: str


@value
class Received(Generic[E]):
    """An event from another service: the fact that it states, its identity, its type and its bytes."""

    message: MessageId
    type: str
    fact: E
    payload: bytes
    again: bool = field(default=False, compare=False)
    """Whether the event may have been handled before."""

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
    """An event or a dead letter that could not be handled. It is parked for an operator, with its original
    bytes and the reason."""

    message: MessageId
    type: str
    subject: str
    reason: str
    detail: str
    payload: bytes
    traceparent: str = field(default="", compare=False)  # for log lines; not kept
    dead_letter: bool = False
    """True if the payload is a whole message that the bus gave up on; False if it is one event."""


@value
class Parked:
    """The last of `count` parked messages that had the same type, subject and reason."""

    id: UUID
    unhandled: Unhandled
    count: int
    first_parked_at: datetime
    last_parked_at: datetime


def joined(unhandled: Sequence[Unhandled], new_id: Callable[[], UUID], now: datetime) -> list[Parked]:
    """Returns one row for each type, subject and reason, with the last of its messages and their count. The
    rows are in key order, so that two transactions that park the same keys cannot deadlock."""
    rows: dict[tuple[str, str, str], Parked] = {}
    for item in unhandled:
        key = item.type, item.subject, item.reason
        count = rows[key].count + 1 if key in rows else 1
        rows[key] = Parked(new_id(), item, count, now, now)
    return [rows[key] for key in sorted(rows)]


def trace_of(traceparent: str) -> UUID | None:
    """Returns the trace id as a UUID (both have 128 bits); None if `traceparent` is empty."""
    return UUID(hex=traceparent[3:35]) if traceparent else None


def new_trace(seed: UUID) -> str:
    """Returns the traceparent of a new, unsampled trace, for work that no outside call caused."""
    return f"00-{seed.hex}-{seed.hex[16:]}-00"
