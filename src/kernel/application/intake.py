"""Stops and resumes the consumer in this process, as operators decide for all processes of a service."""

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
    """Messages are taken unless an operator paused the consumer. A pause lets running handlers finish."""

    bus: Bus
    reading: StandingReading
    paused: bool = field(default=False, init=False)

    async def look(self) -> datetime | None:
        """Pauses or resumes the bus as the database says. Returns since when the oldest event waits to be
        published, which the same statement reads. Raises Unavailable, and then changes nothing."""
        standing = await self.reading.standing()
        paused = standing.pause is not None
        if paused != self.paused:
            if standing.pause is not None:
                logger.info("paused by %s: %s", standing.pause.by, standing.pause.note or "no note")
                await self.bus.pause()
            else:
                logger.info("resumed")
                await self.bus.resume()
            self.paused = paused  # Last, so that health tells only what has taken effect.
        return standing.waiting_since

    def unless_paused(
        self, replay: Callable[P, Awaitable[RelayResult]]
    ) -> Callable[P, Awaitable[RelayResult]]:
        """Wraps a relay's round that hands messages to the consumer without the bus: it rests during a
        pause."""

        async def act(*args: P.args, **kwargs: P.kwargs) -> RelayResult:
            return RelayResult.of(()) if self.paused else await replay(*args, **kwargs)

        return act
