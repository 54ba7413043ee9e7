from datetime import datetime
from typing import Protocol

from kernel.domain.pauses import Pause
from kernel.domain.value import value


@value
class Standing:
    """The state of a service's outbox and consumer in the database."""

    waiting_since: datetime | None
    """When the oldest event that waits to be published was stored; None if none waits."""
    pause: Pause | None
    """The pause of the consumer; None if it is not paused."""


class Pauses(Protocol):
    """Stores whether the service's consumer is paused."""

    async def begin(self, pause: Pause) -> bool:
        """Stores the pause. Returns False if the consumer is already paused; then the old pause stays."""

    async def end(self) -> bool:
        """Ends the pause. Returns whether the consumer was paused."""


class StandingReading(Protocol):
    """Reads the committed state (Standing), without a unit of work."""

    async def standing(self) -> Standing:
        """Raises Unavailable if the database does not answer."""
