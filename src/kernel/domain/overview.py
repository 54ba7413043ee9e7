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
    """How many events wait for a lane whose server is away. `since` is when the oldest was stored."""

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
    """The number of messages that wait for an operator, by reason."""
    held: int
    """How many parked messages belong to groups on hold. They are not counted in `parked`."""
    broker: bool
    """Whether the bus can carry messages."""
    paused: bool
    """Whether an operator paused the consumer."""
    on_time: bool
    """Whether committed events are published, and received messages handled, without delay."""
