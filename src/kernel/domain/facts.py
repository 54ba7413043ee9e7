"""Stored facts about one subject, such as an order. They explain its state to operators."""

from collections.abc import Iterable, Sequence
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from kernel.domain.value import value


class What(StrEnum):
    ACCEPTED = "accepted"
    CANCEL_REQUESTED = "cancel_requested"
    STATUS = "status"
    DECIDED = "decided"
    TRANSFER = "transfer"
    FROZEN = "frozen"
    """An operator froze the account."""
    ACT = "act"
    """An operator's act."""
    IN_OUTBOX = "in_outbox"
    BACKLOG = "backlog"
    """The oldest event in the outbox of the service, about any subject; left out if that event is new."""
    PARKED = "parked"
    DISCARDED = "discarded"
    """An operator discarded a parked message."""
    PAUSED = "paused"
    """An operator paused the consumer of the service."""
    NOT_RUNNING = "not_running"
    """No process of the service is connected to its database."""
    NAMELESS = "nameless"
    """It is unknown whether a process is connected: no session has the name of the service, but some sessions
    have no name."""
    BLOCKED = "blocked"
    """A transaction that has run longer than the service's own ones do holds locks that the service needs."""
    ASKS_AGAIN = "asks_again"
    """The time at which the service repeats its request to the service that it waits for."""


@value(kw_only=True)
class Fact:
    """`source` is the table or view that the fact was read from."""

    at: datetime
    service: str
    what: What
    source: str
    detail: str = ""
    seen: bool = False
    """True if `at` is the time of reading, because no table stores since when the fact holds."""


@value(kw_only=True)
class Part:
    """The facts that one service, or one of its tables, has about the subject."""

    facts: Sequence[Fact] = field(default_factory=list)
    user_id: str | None = None
    """The user id of the subject's owner; None if the service does not know the subject."""
    unread: Sequence[str] = ()
    """The tables and services that could not be read, each with the reason."""
    trace_id: UUID | None = None
    """The trace of the call that created the subject (W3C Trace Context); None if the service stores none."""


def joined(parts: Iterable[Part]) -> Part:
    """Returns all facts and failures, in the order of the parts, and the first owner and trace found."""
    parts = list(parts)
    return Part(
        facts=[fact for part in parts for fact in part.facts],
        user_id=next((part.user_id for part in parts if part.user_id), None),
        unread=[reason for part in parts for reason in part.unread],
        trace_id=next((part.trace_id for part in parts if part.trace_id), None),
    )
