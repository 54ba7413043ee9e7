"""Pauses and resumes the consumer in this process. Operators decide this for all processes of a service."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import ParamSpec

from kernel.application.relay import RelayResult
from kernel.ports.bus import Bus
from kernel.ports.pauses import StandingReading

P = ParamSpec("P")

logger = logging.getLogger(__name__)


@dataclass
class Intake:
    """Takes messages unless an operator paused the consumer. A pause lets running handlers finish."""

    bus: Bus
    reading: StandingReading
    paused: bool = field(default=False, init=False)

    async def look(self) -> datetime | None:
        """Pauses or resumes the bus as the database says. Returns when the oldest waiting event was stored,
        which the same statement reads; None if none waits. Raises Unavailable, and then changes nothing."""
        standing = await self.reading.standing()
        paused = standing.pause is not None
        if paused != self.paused:
            if standing.pause is not None:
                logger.info("paused by %s: %s", standing.pause.by, standing.pause.note or "no note")
                await self.bus.pause()
            else:
                logger.info("resumed")
                await self.bus.resume()
            self.paused = paused  # Set last, so that health tells only a pause in effect.
        return standing.waiting_since

    def unless_paused(
        self, replay: Callable[P, Awaitable[RelayResult]]
    ) -> Callable[P, Awaitable[RelayResult]]:
        """Wraps a round of a relay that hands messages to the consumer without the bus. During a pause the
        round does nothing."""

        async def act(*args: P.args, **kwargs: P.kwargs) -> RelayResult:
            return RelayResult.of(()) if self.paused else await replay(*args, **kwargs)

        return act
