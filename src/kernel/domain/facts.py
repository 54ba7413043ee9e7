"""What is stored about one subject, such as an order, as operators read it."""

from collections.abc import Sequence
from dataclasses import field
from datetime import datetime
from enum import StrEnum

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
    PARKED = "parked"
    PAUSED = "paused"
    """The consumer of the service, by an operator."""
    NOT_RUNNING = "not_running"
    """No process of the service is connected to its database."""
    BLOCKED = "blocked"
    """A statement of the service waits for a lock."""
    ASKS_AGAIN = "asks_again"
    """When the service asks once more for what it waits for."""


@value(kw_only=True)
class Fact:
    """`source` is the table or view that holds it."""

    at: datetime
    service: str
    what: What
    source: str
    detail: str = ""


@value(kw_only=True)
class Part:
    """What one service knows of the subject."""

    facts: Sequence[Fact] = field(default_factory=list)
    user_id: str | None = None
    """Whom it belongs to; None where the service does not know it."""
