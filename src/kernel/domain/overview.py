"""The present state of a service, as operators see it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from kernel.domain.value import value


@value
class WaitingEvents:
    """How many events of one type wait in the outbox. `since` is when the oldest was stored."""

    type: str
    count: int
    since: datetime


@value
class SetAsideEvents:
    """How many events wait because the server of their lane is away, and since when the oldest does."""

    lane: int
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
    set_aside: Sequence[SetAsideEvents]
    parked: Mapping[str, int]
    """Messages that wait for an operator, by reason."""
    held: int
    """Parked messages whose group an operator holds; they are not counted in `parked`."""
    broker: bool
    """Whether the bus can carry messages."""
    paused: bool
    """Whether an operator paused the consumer."""
    on_time: bool
    """Whether committed events are published, and received messages handled, without delay."""
