"""What is stored about one subject, such as an order, as operators read it."""

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
    """The account, by an operator."""
    ACT = "act"
    """Of an operator."""
    IN_OUTBOX = "in_outbox"
    BACKLOG = "backlog"
    """The oldest event in the outbox of the service, whatever it is about, where that is not a new one."""
    PARKED = "parked"
    DISCARDED = "discarded"
    """A message that was parked, by an operator."""
    PAUSED = "paused"
    """The consumer of the service, by an operator."""
    NOT_RUNNING = "not_running"
    """No process of the service is connected to its database."""
    NAMELESS = "nameless"
    """Whether one is, cannot be told: no session bears the name of the service, and some bear none."""
    BLOCKED = "blocked"
    """A transaction holds locks that the service needs, for longer than the service's own ones do."""
    ASKS_AGAIN = "asks_again"
    """When the service is due to ask once more for what it waits for."""


@value(kw_only=True)
class Fact:
    """`source` is the table or view that holds it."""

    at: datetime
    service: str
    what: What
    source: str
    detail: str = ""
    seen: bool = False
    """`at` is when somebody looked: since when it is so, is stored nowhere."""


@value(kw_only=True)
class Part:
    """What one service knows of the subject."""

    facts: Sequence[Fact] = field(default_factory=list)
    user_id: str | None = None
    """Whom it belongs to; None where the service does not know it."""
    unread: Sequence[str] = ()
    """What could not be read, each with the reason."""
    trace_id: UUID | None = None
    """That of the call that began it (W3C Trace Context), as far as the service keeps it."""


def joined(parts: Iterable[Part]) -> Part:
    """All that is known and all that could not be read, in the order of the parts."""
    parts = list(parts)
    return Part(
        facts=[fact for part in parts for fact in part.facts],
        user_id=next((part.user_id for part in parts if part.user_id), None),
        unread=[said for part in parts for said in part.unread],
        trace_id=next((part.trace_id for part in parts if part.trace_id), None),
    )
