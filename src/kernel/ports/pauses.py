from datetime import datetime
from typing import Protocol

from kernel.domain.pauses import Pause
from kernel.domain.value import value


@value
class Standing:
    """How the service stands now."""

    waiting_since: datetime | None
    """Since when the oldest committed event waits to be published; None where none does."""
    pause: Pause | None
    """Of its consumer."""


class Pauses(Protocol):
    """Of the service's consumer."""

    async def begin(self, pause: Pause) -> bool:
        """Whether it was not paused before; a pause that lasts stays as it is."""
        ...

    async def end(self) -> bool:
        """Whether it was paused."""
        ...


class StandingReading(Protocol):
    """Reads beside the model, of what is committed now."""

    async def standing(self) -> Standing:
        """Raises Unavailable."""
        ...
