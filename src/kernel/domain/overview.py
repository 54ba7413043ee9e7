"""How a service fares now, as operators see it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from kernel.domain.value import value


@value
class WaitingEvents:
    """Events of one type that wait in the outbox, and since when the oldest does."""

    type: str
    count: int
    since: datetime


@value(kw_only=True)
class ServiceOverview:
    service: str
    version: str
    schema: int
    """The revision of the database."""
    schema_needed: int
    waiting: Sequence[WaitingEvents]
    parked: Mapping[str, int]
    """Messages that wait for an operator, by reason."""
    held: int
    """Parked messages that somebody looks after; they are not among `parked`."""
    broker: bool
    """Whether messages can come and go."""
    paused: bool
    """Whether an operator wants no message to be taken."""
    on_time: bool
    """Whether what was committed is published, and what arrives is handled."""
